package gitsource

import "distributed.ai/datacoop/internal/fault"

// Faults of reading a repository.
var (
	ErrLocation     = fault.New(fault.Invalid, "git-location", "Give the path of a repository on this machine, or an https address without a password.")
	ErrRemote       = fault.New(fault.Forbidden, "git-remote", "Only repositories on this machine are read here.")
	ErrNoRepository = fault.New(fault.NotFound, "git-no-repository", "There is no git repository that could be read.")
	ErrFormat       = fault.New(fault.Invalid, "git-format", "This repository has a format that is not read here, such as SHA-256 or a partial clone.")
	ErrNoBranch     = fault.New(fault.NotFound, "git-no-branch", "The repository has no such branch, or no commits on it.")
	ErrShallow      = fault.New(fault.Conflict, "git-shallow", "This clone lacks the beginning of its history. Run git fetch --unshallow first.")
	ErrTooLarge     = fault.New(fault.TooLarge, "git-too-large", "This repository is larger than what is read here.")
	ErrTooSlow      = fault.New(fault.Unavailable, "git-too-slow", "Reading this repository takes too long.")
	ErrCorrupt      = fault.New(fault.Invalid, "git-corrupt", "This repository is damaged: git fsck says where.")
	ErrSource       = fault.New(fault.Invalid, "git-source", "This does not say which piece of a repository's history it is.")
	ErrAuthors      = fault.New(fault.Invalid, "git-authors", "Work from git names the addresses of its authors, at most 50.")
	ErrUnreachable  = fault.New(fault.Unavailable, "git-unreachable", "The repository cannot be fetched from there.")
)

// What is too large, as details of ErrTooLarge, and what is damaged.
const (
	missingObject  = "An object is missing."
	tooManyCommits = "It has too many commits."
	tooManyObjects = "It has too many objects."
	tooManyParents = "A commit has too many parents."
	tooLargeObject = "One of its commits or folders is too large."
	tooManyBytes   = "There is too much to fetch."
)
