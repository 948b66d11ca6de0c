package web

import (
	"distributed.ai/datacoop/web/account"
	"distributed.ai/datacoop/web/farewell"
	"distributed.ai/datacoop/web/signin"
)

// sessionFlash keeps what a page says once, after a redirect.
const sessionFlash = "flash"

// What programs around the hall need of its desks: to end what was opened before
// an account was recovered, to check the receipt of a closed account, and to read
// a file of further issuers.
var (
	Recovered     = account.Recovered
	VerifyClosing = farewell.VerifyReceipt
	IsClosing     = farewell.IsReceipt
	ReadLogins    = signin.Read
)
