package authserver

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// keys are the purposes Config.Secret serves, each with a key of its own
// (HKDF-SHA256, RFC 5869), so that no value made for one is good for another.
type keys struct {
	token, client, form, password []byte
}

func deriveKeys(secret []byte) (keys, error) {
	if len(secret) < shortestSecret {
		return keys{}, errors.New("the secret must have at least 32 bytes")
	}
	var k keys
	for label, key := range map[string]*[]byte{
		"token": &k.token, "client": &k.client, "form": &k.form, "password": &k.password,
	} {
		derived, err := derive(secret, label)
		if err != nil {
			return keys{}, err
		}
		*key = derived
	}
	return k, nil
}

func derive(secret []byte, label string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "datacoop authserver "+label, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive %s key: %w", label, err)
	}
	return key, nil
}

func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

// clientSecret is a client's secret of the given serial: HMAC-SHA256 of the
// serial and the id, in base64url. It has the full strength of the key, so a
// plain hash of it can be stored, and it can be given again without being kept.
func (k keys) clientSecret(id string, serial int64) string {
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(serial)) //nolint:gosec // serials count up from 0
	return base64.RawURLEncoding.EncodeToString(mac(k.client, number[:], []byte(id)))
}

// same compares digests in constant time.
func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

func hashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// DemoPassword makes the password of a demo account from the server's secret:
// 80 bits in four groups of letters and digits, the same as long as the data
// directory keeps its secret, so that a demo can print it at every start.
func DemoPassword(secret []byte, subject string) (string, error) {
	if len(secret) < shortestSecret {
		return "", errors.New("authserver: the secret must have at least 32 bytes")
	}
	key, err := derive(secret, "demo password")
	if err != nil {
		return "", fmt.Errorf("authserver: %w", err)
	}
	text := strings.ToLower(base32.StdEncoding.EncodeToString(mac(key, []byte(subject))[:10]))
	return text[0:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:16], nil
}

// accounts are the logins in the order they are listed, with a keyed digest in
// the place of each password.
type accounts struct {
	list []account
	key  []byte
}

type account struct {
	subject, name string
	digest        []byte
	methods       []string // of authentication, RFC 8176
}

func (k keys) accounts(given []Account) (accounts, error) {
	out := accounts{key: k.password}
	for i, a := range given {
		_, taken := out.find(a.Subject)
		switch {
		case !subjectPattern.MatchString(a.Subject):
			return accounts{}, fmt.Errorf("account %d has an unusable subject", i+1)
		case taken:
			return accounts{}, fmt.Errorf("account %d has a subject that is taken", i+1)
		case strings.TrimSpace(a.Name) == "":
			return accounts{}, fmt.Errorf("account %d has no name", i+1)
		case len(a.Password) < shortestPassword:
			return accounts{}, fmt.Errorf("account %d needs a password of at least 8 characters", i+1)
		}
		digest := mac(k.password, []byte(a.Password))
		out.list = append(out.list, account{subject: a.Subject, name: a.Name, digest: digest, methods: []string{"pwd"}})
	}
	return out, nil
}

func (as accounts) find(subject string) (account, bool) {
	for _, a := range as.list {
		if a.subject == subject {
			return a, true
		}
	}
	return account{}, false
}

// verify takes the same time for a wrong password and an unknown subject.
func (as accounts) verify(subject, password string) (account, bool) {
	a, known := as.find(subject)
	if !known {
		a.digest = make([]byte, sha256.Size)
	}
	match := same(a.digest, mac(as.key, []byte(password)))
	return a, known && match
}

// signing is the id_token key with what the world knows of it.
type signing struct {
	key       crypto.Signer
	algorithm string
	id        string // RFC 7638 thumbprint
	set       []byte // JWK Set, RFC 7517
}

func newSigning(key crypto.Signer) (signing, error) {
	var algorithm string
	var jwk map[string]string
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		if k.Curve != elliptic.P256() {
			return signing{}, errors.New("an ECDSA signing key must be on P-256")
		}
		public, err := k.PublicKey.ECDH()
		if err != nil {
			return signing{}, errors.New("the ECDSA signing key is not a point on its curve")
		}
		point := public.Bytes() // 4, then X and Y of 32 bytes each
		algorithm, jwk = "ES256", map[string]string{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
	case *rsa.PrivateKey:
		if k.N.BitLen() < 2048 {
			return signing{}, errors.New("an RSA signing key must have at least 2048 bits")
		}
		exponent := big.NewInt(int64(k.E)).Bytes()
		algorithm, jwk = "RS256", map[string]string{"kty": "RSA", "n": b64(k.N.Bytes()), "e": b64(exponent)}
	default:
		return signing{}, errors.New("the signing key must be ECDSA on P-256 or RSA")
	}
	return publish(key, algorithm, jwk)
}

// publish writes the JWK Set. The key id is the thumbprint of RFC 7638: the
// required members in order of name, which is how encoding/json writes a map.
func publish(key crypto.Signer, algorithm string, jwk map[string]string) (signing, error) {
	required, err := json.Marshal(jwk)
	if err != nil {
		return signing{}, fmt.Errorf("key thumbprint: %w", err)
	}
	sum := sha256.Sum256(required)
	id := b64(sum[:])
	jwk["alg"], jwk["use"], jwk["kid"] = algorithm, "sig", id
	set, err := json.Marshal(map[string]any{"keys": []any{jwk}})
	if err != nil {
		return signing{}, fmt.Errorf("key set: %w", err)
	}
	return signing{key: key, algorithm: algorithm, id: id, set: set}, nil
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
