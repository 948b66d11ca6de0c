package vault

import (
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/vault/blobs"
	"distributed.ai/datacoop/vault/keystore"
	"distributed.ai/datacoop/vault/papers"
)

// What the vault answers when it refuses. Headers and payloads that are not
// acceptable are refused with the faults of package header.
var (
	ErrNotFound       = fault.New(fault.NotFound, "dataset-not-found", "There is no such dataset.")
	ErrUploadNotFound = fault.New(fault.NotFound, "upload-not-found", "There is no such upload.")
	ErrUploadExpired  = fault.New(fault.Gone, "upload-expired", "The upload was left alone for too long; start it again.")
	ErrUploadExists   = fault.New(fault.Conflict, "upload-exists", "This dataset has an upload already; continue or cancel it.")
	ErrUploadBusy     = fault.New(fault.Conflict, "upload-busy", "Another part of this upload is being received; try again when it is done.")
	ErrUploadComplete = fault.New(fault.Conflict, "upload-complete", "This upload is complete; nothing can be added to it.")
	ErrOffset         = fault.New(fault.Conflict, "upload-offset", "The upload stands at another offset; ask for it and continue there.")
	ErrOverLength     = fault.New(fault.TooLarge, "upload-over-length", "More bytes came than the upload was opened for.")
	ErrTooLarge       = fault.New(fault.TooLarge, "dataset-too-large", "The file is larger than one dataset may be.")
	ErrLength         = fault.New(fault.Invalid, "upload-length", "No encrypted file is that short.")
	ErrIncomplete     = fault.New(fault.Conflict, "upload-incomplete", "The file has not been uploaded completely.")
	ErrAlreadySealed  = fault.New(fault.Conflict, "dataset-sealed", "This dataset is sealed already.")
	ErrNotSealed      = fault.New(fault.Conflict, "dataset-not-sealed", "This dataset is not sealed yet.")
	ErrManifest       = fault.New(fault.Invalid, "manifest-mismatch", "The manifest does not describe the file that was received.")
	ErrSignature      = papers.ErrSignature
	ErrProfile        = papers.ErrProfile
	ErrReplay         = fault.New(fault.Conflict, "header-replayed", "This encrypted file has been used for another dataset; encrypt it anew.")
	ErrPool           = fault.New(fault.Invalid, "pool-malformed", "A pool's name is a lower-case word.")
	ErrVaultSealed    = keystore.ErrSealed
	ErrStorage        = blobs.ErrStorage
	ErrStorageFull    = blobs.ErrStorageFull
	ErrStorageAway    = blobs.ErrStorageAway
	ErrPermit         = fault.New(fault.Forbidden, "permit-invalid", "There is no valid permit for this delivery.")
	ErrClassic        = fault.New(fault.Forbidden, "recipient-classic", "This co-op delivers to post-quantum recipients only.")
	ErrRevoked        = fault.New(fault.Gone, "dataset-revoked", "The member has withdrawn this dataset; its key is destroyed.")
	ErrReceipt        = papers.ErrReceipt
	ErrMasterKey      = keystore.ErrMasterKey
	ErrOtherMaster    = keystore.ErrOtherMaster
	ErrEpochLost      = keystore.ErrEpochLost
	ErrAwaiting       = fault.New(fault.Conflict, "awaiting-member", "The member keeps the only key to this dataset; the request waits until they have approved it on their own machine.")
	ErrNotAwaited     = fault.New(fault.NotFound, "approval-not-found", "No such request waits for you.")
	ErrAnswered       = fault.New(fault.Conflict, "approval-answered", "This request has its answer already; it cannot be given another one.")
	ErrDeclined       = fault.New(fault.Forbidden, "member-declined", "The member has declined this request.")
	ErrApproval       = fault.New(fault.Invalid, "approval-header", "The header is not for the one recipient who was granted access.")
	ErrQuota          = fault.New(fault.TooLarge, "quota-exceeded", "This would be more than one member can keep here; revoke or cancel something first.")
	ErrTooManyUploads = fault.New(fault.Conflict, "uploads-too-many", "Too many of your uploads are unfinished; finish or cancel one first.")
	ErrTooManyParts   = fault.New(fault.Unavailable, "upload-parts-too-many", "Too many of your uploads are being received at this moment; try again when one is done.")
	ErrChanged        = fault.New(fault.Conflict, "dataset-changed", "The dataset changed meanwhile; look at it and try again.")
)
