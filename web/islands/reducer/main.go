//go:build js && wasm

// Command reducer is the codebook's reducer for the browser: the same rules
// that the command line runs, compiled to WebAssembly and started in a Worker
// of the page "Add data".
//
// It is for recognising an export, reducing it to its pool's table, showing
// that table, leaving out what the member does not want to share, and handing
// the table over as CSV to be encrypted. [session] lists what the page can
// call. Files are read through a function of the page, a window at a time, so
// that an export is never in memory as a whole.
//
// It guarantees what package codebook guarantees: what it hands over is a
// reduced table and nothing else, and a refusal is a constant sentence. It
// refuses to know the network and the clock: the page gives it sizes, names
// and bytes and takes text and bytes back, among which no name is.
//
// The program is committed in web/islands/dist, built by go generate in
// web/islands; a test builds it again and compares.
package main

import "syscall/js"

func main() {
	s := &session{}
	api := js.Global().Get("Object").New()
	for name, f := range map[string]func([]js.Value) (any, error){
		"open": s.open, "gather": s.gather, "recognise": s.recognise, "reduce": s.reduce, "narrow": s.narrow,
		"rows": s.page, "csv": s.csv, "pull": s.pull, "close": s.close,
	} {
		api.Set(name, js.FuncOf(func(_ js.Value, args []js.Value) any { return answer(f(args)) }))
	}
	js.Global().Set("reducer", api)
	select {} // the page calls for as long as it is open
}
