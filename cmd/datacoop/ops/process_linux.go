package ops

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// held reports whether a process has a lock file locked.
func held(path string) (bool, error) {
	if _, err := locker(path); err == nil {
		return true, nil
	}
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // the lock goes with it
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	return errors.Is(err, syscall.EWOULDBLOCK), nil
}

// holder looks at how the process that holds a lock guards its memory.
func holder(path string) (watched, error) {
	id, err := locker(path)
	if err != nil {
		return watched{}, err
	}
	return look(id)
}

// locker finds the process that holds a lock, by the file's number in
// /proc/locks: so nobody who starts meanwhile meets a lock of ours.
func locker(path string) (id int, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, errUnseen
	}
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		return 0, err
	}
	inode := ":" + strconv.FormatUint(stat.Ino, 10)
	for line := range strings.Lines(string(locks)) {
		f := strings.Fields(line)
		if len(f) < 6 || f[1] != "FLOCK" || !strings.HasSuffix(f[5], inode) {
			continue
		}
		if id, err := strconv.Atoi(f[4]); err == nil && id > 0 {
			return id, nil
		}
	}
	return 0, errUnseen
}

func look(id int) (watched, error) {
	p := watched{id: id}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", id))
	if err != nil {
		return watched{}, err
	}
	for line := range strings.Lines(string(limits)) {
		if rest, ok := strings.CutPrefix(line, "Max core file size"); ok {
			p.noCore = strings.Fields(rest)[0] == "0"
		}
	}
	// The files of a process that is not dumpable belong to root (proc(5)).
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", id))
	if err != nil {
		return p, nil
	}
	info, err := os.Stat(fmt.Sprintf("/proc/%d/maps", id))
	if err != nil {
		return p, nil
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "Uid:" && f[2] != "0" && ok {
			p.told, p.hidden = true, stat.Uid == 0
		}
	}
	return p, nil
}

// swaps reports whether memory can come to lie on a disk.
func swaps() bool {
	text, err := os.ReadFile("/proc/swaps")
	return err == nil && strings.Count(string(text), "\n") > 1
}
