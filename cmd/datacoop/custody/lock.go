package custody

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// LockFile is what a server holds while it runs.
const LockFile = "server.lock"

// errHeld says that somebody else has the data directory.
var errHeld = errors.New("a server is running on this data directory, or another command is changing its keys; stop it first")

// Lock takes a data directory for this process alone until release is called
// or the process ends. It is refused while another has it.
func Lock(dir string) (release func() error, err error) {
	f, err := os.OpenFile(filepath.Join(dir, LockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil // the lock goes with the last descriptor
}
