// Package hygiene keeps what a process knows inside it.
//
// It guarantees that a process that was hardened leaves no core file, and that
// no other process of the same user can read its memory or attach to it; root
// can. It cannot keep memory out of swap space, nor wipe what Go's memory
// manager has copied. On systems other than Linux it does nothing.
package hygiene
