//go:build linux && !race

package child

const memoryIsLimited = true
