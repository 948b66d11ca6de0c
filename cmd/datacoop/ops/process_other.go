//go:build !linux

package ops

import "errors"

func held(string) (bool, error)      { return false, errors.ErrUnsupported }
func holder(string) (watched, error) { return watched{}, errUnseen }
func swaps() bool                    { return false }
