package vault

import (
	"time"

	"distributed.ai/datacoop/vault/papers"
)

var (
	saidRefused = Statement{Code: "access-refused", Sentence: "Since the time of revocation no delivery begins, and a download under way stops within one second or one mebibyte."}
	saidGrants  = Statement{Code: "headers-deleted", Sentence: "Every header that was kept for researchers, and the original one, is deleted."}
	saidKey     = Statement{Code: "key-deleted", Sentence: "The dataset's own key is deleted from the keystore."}
	saidKeyLog  = Statement{Code: "key-overwritten", Sentence: "The key's bytes are neither in the keystore nor in the file where its changes are written first."}
	saidNoKey   = Statement{Code: "no-key-held", Sentence: "The co-op never held a key to this dataset: the member kept it."}
	saidLog     = Statement{Code: "headers-overwritten", Sentence: "The headers' bytes are neither in the database nor in the file where its changes are written first."}
	saidFreed   = Statement{Code: "headers-freed", Sentence: "The database was told to free the rows that held the headers, so that their space is used again as soon as no reader needs them."}
	saidFile    = Statement{Code: "ciphertext-unlinked", Sentence: "The encrypted file is deleted from the storage."}

	saidCopies  = Statement{Code: "copies-remain", Sentence: "Copies that researchers fetched before cannot be called back; the number of requests a header was made for is stated here."}
	saidBackups = Statement{Code: "backups-remain", Sentence: "Backups of the keystore made before the revocation still hold the key, sealed to a key of the co-op that no backup holds and that is destroyed by the date stated here; from then on no backup opens the dataset."}
	saidNoDate  = Statement{Code: "backups-remain-undated", Sentence: "Backups of the keystore made before the revocation still hold the key, sealed to a key of the co-op that no backup holds; this receipt cannot say by when that one is destroyed."}
	saidOpeners = Statement{Code: "own-keys-open", Sentence: "With a backup of the database and of the encrypted files, the member's own key opens the dataset, and so does the key of a researcher for whom a header had been made, as they could before."}
	saidServer  = Statement{Code: "database-keeps-bytes", Sentence: "The co-op's database does not overwrite what it deletes: the headers' bytes may stay in its files until the space is used again, and they stay in the files where its changes are written first, in archives of those files and in its backups for as long as those are kept. The dataset's key was never in it."}
	saidDisk    = Statement{Code: "disk-blocks-remain", Sentence: "Bytes that the file system has released may stay on the storage medium until they are overwritten or trimmed; the keystore belongs on an encrypted volume for that reason."}
)

// darkness is when the backups of a deleted key become worthless.
type darkness struct {
	epoch int64
	by    int64 // 0: no date can be promised
}

// step is one thing a receipt claims, if it is done.
type step struct {
	done bool
	says Statement
}

// sign writes the receipt that is true after the given steps.
func (s *Service) sign(d Dataset, t tombstone, done steps, dark darkness) (Receipt, error) {
	headers := saidLog
	if !s.db.Overwrites() {
		headers = saidFreed
	}
	todo := []step{{done.key, saidKey}, {done.keyLog, saidKeyLog}, {done.log, headers}, {done.file, saidFile}}
	remains := []Statement{saidCopies, saidBackups, saidOpeners, saidDisk}
	switch {
	case d.SelfCustody:
		todo = append([]step{{true, saidNoKey}}, todo[2:]...)
		remains, dark = []Statement{saidCopies, saidOpeners, saidDisk}, darkness{}
	case dark.by == 0:
		remains[1] = saidNoDate
	}
	if !s.db.Overwrites() {
		remains = append(remains, saidServer)
	}
	r := Receipt{
		Type: papers.ReceiptType, Dataset: string(d.ID), Member: string(d.Member), Pool: string(d.Pool),
		RevokedAt: rfc3339(d.RevokedAt), ShreddedAt: rfc3339(d.ShreddedAt), Complete: done == steps{true, true, true, true},
		Achieved: []Statement{saidRefused, saidGrants}, Pending: []Statement{},
		NotAchieved:   remains,
		BackupsDarkBy: rfc3339(dark.by), Epoch: dark.epoch,
		GrantsDeleted: t.Grants, Deliveries: d.Deliveries,
		HeaderSHA256: d.HeaderSHA256, PayloadSHA256: d.PayloadSHA256, BlobSHA256: t.BlobSHA256, LogIndex: t.LogIndex,
	}
	for _, step := range todo {
		if step.done {
			r.Achieved = append(r.Achieved, step.says)
		} else {
			r.Pending = append(r.Pending, step.says)
		}
	}
	return r.Sign(s.cfg.Key)
}

func rfc3339(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format(time.RFC3339)
}
