package main

import (
	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/vault"
)

const masterFile = custody.MasterFile

// openMaster unseals the vault's master identity with a passphrase from a
// file. Without a passphrase the vault starts sealed.
func openMaster(dir, passphrase string) (vault.Identity, error) {
	return custody.OpenMaster(dir, passphrase)
}

// sealMaster makes a master identity and seals it; it never replaces one.
func sealMaster(dir, passphrase string, logN int) error {
	return custody.SealMaster(dir, passphrase, logN)
}

// localMaster opens the master of a demo or a local server, making it the
// first time.
func localMaster(dir string) (vault.Identity, error) { return custody.LocalMaster(dir) }

// sealedByHand reports whether people sealed the master: then only they can
// unseal it.
func sealedByHand(dir string) bool { return custody.SealedByHand(dir) }
