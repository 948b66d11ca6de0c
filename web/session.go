package web

import (
	"distributed.ai/datacoop/web/entry"
	"distributed.ai/datacoop/web/farewell"
	"distributed.ai/datacoop/web/signin"
)

// sessionFlash keeps what a page says once, after a redirect.
const sessionFlash = "flash"

// What programs around the hall need of its desks: to end all sessions and
// tokens of a member, to forget the other ways in that they linked, to check the receipt of a closed account, and to read a
// file of further issuers.
var (
	EndAll        = entry.EndAll
	ForgetWays    = signin.Forget
	VerifyClosing = farewell.VerifyReceipt
	IsClosing     = farewell.IsReceipt
	ReadLogins    = signin.Read
)
