package custody

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Where a co-op's main database is.
const (
	MainFile    = "datacoop.db"  // in the data directory, unless it is on a server
	addressFile = "database.url" // the server's address, which may hold a password
)

var (
	errAddress = errors.New("--database takes a postgres:// URL; a database that is a file lies in the data directory")
	errMoved   = errors.New("this co-op's database is " + MainFile + " in its data directory; with --database it would start anew, without members and history")
)

// Database answers where the database of a data directory is: at the address
// that was told, if any, or at the one that KeepDatabase has noted, or in the
// directory itself. It refuses an address for a co-op that has a file already.
func Database(dir, told string) (address string, err error) {
	file := filepath.Join(dir, MainFile)
	if told != "" {
		if !OnServer(told) {
			return "", errAddress
		}
		if _, err := os.Stat(file); err == nil {
			return "", errMoved
		}
		return told, nil
	}
	noted, err := os.ReadFile(filepath.Join(dir, addressFile)) // #nosec G304 -- the operator names the directory
	if errors.Is(err, os.ErrNotExist) {
		return file, nil
	}
	if err != nil {
		return "", fmt.Errorf("database address: %w", err)
	}
	return strings.TrimSpace(string(noted)), nil
}

// KeepDatabase notes an address in the data directory, so that every command
// finds the database. A file in the directory needs no note.
func KeepDatabase(dir, address string) error {
	if !OnServer(address) {
		return nil
	}
	if noted, err := Database(dir, ""); err == nil && noted == address {
		return nil
	}
	return WritePrivate(filepath.Join(dir, addressFile), []byte(address+"\n"))
}

// OnServer reports whether an address is that of a PostgreSQL server.
func OnServer(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}
