// Package papers is about the documents that go with a dataset: the manifest a
// member signs about the ciphertext they made, the profile that describes it in
// numbers, and the receipt they keep of its revocation.
//
// # What it guarantees
//
// A document has one form: canonical JSON (RFC 8785), signed with Ed25519 over
// exactly these bytes, so that it can be checked in ten years with stock tools
// and without this program.
//
// # What it refuses
//
// A signature that is not over what the document says; a receipt that was
// written anew, even if it says the same; a profile that no person's data can
// have. It does not know whether what a document says is true: the vault writes
// receipts, and compares manifests with what it has received.
package papers

import "distributed.ai/datacoop/internal/fault"

// What is refused.
var (
	ErrSignature = fault.New(fault.Invalid, "manifest-signature", "The manifest's signature is missing or does not verify.")
	ErrProfile   = fault.New(fault.Invalid, "profile-malformed", "The profile of the data is not well formed.")
	ErrReceipt   = fault.New(fault.Invalid, "receipt-invalid", "The receipt is malformed or was not signed with this key.")
)
