package main

import (
	"distributed.ai/datacoop/cmd/datacoop/ops"
	"distributed.ai/datacoop/cmd/datacoop/treasury"
)

// commands is the command line; each command is in a file of its own.
type commands struct {
	Demo     DemoCmd              `cmd:"" help:"Start a whole co-op and walk through its story."`
	Init     InitCmd              `cmd:"" help:"Set up a co-op: charter, keys, settings, first invitations."`
	Serve    ServeCmd             `cmd:"" help:"Run the server."`
	Invite   InviteCmd            `cmd:"" help:"Make another invitation for who holds an office."`
	Keygen   KeygenCmd            `cmd:"" help:"Make an identity or a signing key."`
	Reduce   ReduceCmd            `cmd:"" help:"Reduce an export to a pool's table, to look at it before sharing."`
	Upload   UploadCmd            `cmd:"" help:"Share an export: reduce, show, encrypt, upload."`
	Approve  ApproveCmd           `cmd:"" help:"Answer requests for data that you alone hold the key to."`
	Fetch    FetchCmd             `cmd:"" help:"Download, verify and decrypt everything a request was granted."`
	Work     WorkCmd              `cmd:"" name:"contribute" help:"Submit what you did in a git repository, and confirm whose addresses are whose."`
	Period   treasury.PeriodCmd   `cmd:"" help:"The treasurer's steps: close, appraise, settle, release, payout."`
	Appraise treasury.EvaluateCmd `cmd:"" help:"Compare judges with people who judged the same contributions."`
	Judges   treasury.JudgesCmd   `cmd:"" help:"Try other judges in shadow, see what people said, and put the better one to the vote."`
	Policy   PolicyCmd            `cmd:"" help:"Check access policies before they are proposed."`
	Vault    VaultCmd             `cmd:"" help:"Keep the vault's master key."`
	Verify   VerifyCmd            `cmd:"" help:"Recompute everything that claims to be true."`
	Doctor   ops.Doctor           `cmd:"" help:"Say how a co-op's data stand, and what to do."`
	Backup   ops.Backup           `cmd:"" help:"Copy a co-op's data, also while the server runs."`
	Restore  ops.Restore          `cmd:"" help:"Bring a backup back; what was revoked since stays revoked."`
	Migrate  ops.Migrate          `cmd:"" help:"Bring a co-op's tables to this program's version, before it serves."`
	Bench    BenchCmd             `cmd:"" help:"Measure the performance goals, each beside its anchor."`
}
