package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"filippo.io/age"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/cmd/datacoop/law"
	"distributed.ai/datacoop/internal/child"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/codebook"
	"distributed.ai/datacoop/vault/header"
	"distributed.ai/datacoop/web/client"
)

func TestMain(m *testing.M) {
	child.Serve(law.Work)
	custody.HumanLogN = custody.RandomLogN // a second of work for each command would be too much here
	testscript.Main(m, map[string]func(){"datacoop": main})
}

// TestScripts runs the commands as people do; the scripts say what happens.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"synthesise": synthesise, "await": await, "member": member, "grants": grants, "nosecrets": nosecrets,
		},
	})
}

// synthesise FORMAT FILE DAYS writes an invented export.
func synthesise(ts *testscript.TestScript, _ bool, args []string) {
	days, err := strconv.Atoi(args[2])
	ts.Check(err)
	_, data, err := codebook.Synthesise(args[0], 3, time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), days)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
}

// await FILE waits until a file is there.
func await(ts *testscript.TestScript, _ bool, args []string) {
	for range 600 {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	ts.Fatalf("%s never came", args[0])
}

// member FILE N lets the N-th member of a demo.json speak.
func member(ts *testscript.TestScript, _ bool, args []string) {
	var demo struct {
		BaseURL string `json:"base_url"`
		Members []struct {
			Token        string `json:"token"`
			IdentityFile string `json:"identity_file"`
		} `json:"members"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &demo))
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Setenv("DATACOOP_SERVER", demo.BaseURL)
	ts.Setenv("DATACOOP_TOKEN", demo.Members[n].Token)
	ts.Setenv("DATACOOP_IDENTITY", demo.Members[n].IdentityFile)
}

// nosecrets FILE... fails if a secret of the script's is in one of the files.
func nosecrets(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := ts.ReadFile(name)
		for _, variable := range []string{"DATACOOP_TOKEN", "DATACOOP_CLIENT_SECRET"} {
			if secret := ts.Getenv(variable); secret != "" && strings.Contains(text, secret) {
				ts.Fatalf("%s holds %s", name, variable)
			}
		}
		if strings.Contains(text, "AGE-SECRET-KEY") {
			ts.Fatalf("%s holds an identity", name)
		}
	}
}

// grants IDENTITY WORD... starts a co-op that has granted a request: for each
// word a file, intact or as the word says (altered, withdrawn).
func grants(ts *testscript.TestScript, _ bool, args []string) {
	id, err := client.ReadIdentity(ts.MkAbs(args[0]))
	ts.Check(err)
	page := client.Page[client.File]{Items: []client.File{}}
	files := map[string][]byte{}
	for n, word := range args[1:] {
		file, data := granted(ts, id.Recipient(), fmt.Sprintf("date,steps\n2026-01-0%d,8000\n", n+1))
		switch word {
		case "altered":
			data[len(data)-1] ^= 1
		case "withdrawn":
			file.Gone = true
		}
		page.Items = append(page.Items, file)
		files[file.ID] = data
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth/token", func(w http.ResponseWriter, r *http.Request) {
		if name, secret, _ := r.BasicAuth(); name != "lab" || secret != "opensesame" {
			http.Error(w, `{"error":"invalid_client"}`, http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"t","token_type":"bearer","expires_in":60}`)
	})
	mux.HandleFunc("GET /v1/requests/{id}/files", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(page)
	})
	mux.HandleFunc("GET /v1/files/{id}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(files[r.PathValue("id")]))
	})
	server := httptest.NewServer(mux)
	ts.Defer(server.Close)
	ts.Setenv("DATACOOP_SERVER", server.URL)
	ts.Setenv("DATACOOP_CLIENT_ID", "lab")
	ts.Setenv("DATACOOP_CLIENT_SECRET", "opensesame")
}

// granted encrypts text as a delivery and lists it.
func granted(ts *testscript.TestScript, recipient, text string) (client.File, []byte) {
	to, _, err := header.ParseRecipient(recipient)
	ts.Check(err)
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	ts.Check(err)
	_, err = w.Write([]byte(text))
	ts.Check(err)
	ts.Check(w.Close())
	hdr, _, err := header.Split(bytes.NewReader(out.Bytes()))
	ts.Check(err)
	digest := coop.Digest(out.Bytes()[len(hdr):])
	return client.File{ID: coop.NewID(), Size: int64(out.Len()), SHA256: digest}, out.Bytes()
}
