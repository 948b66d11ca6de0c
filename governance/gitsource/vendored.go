package gitsource

import "strings"

// Folders that hold other people's work, or what a program wrote.
var asideFolders = words(`vendor node_modules bower_components third_party third-party thirdparty external-libs
	godeps pods carthage .yarn .pnpm-store dist __snapshots__ __pycache__ .venv venv`)

// Files that programs keep.
var asideFiles = words(`package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lockb bun.lock deno.lock
	go.sum go.work.sum cargo.lock gemfile.lock composer.lock poetry.lock pipfile.lock pdm.lock uv.lock mix.lock
	flake.lock pubspec.lock podfile.lock cartfile.resolved package.resolved gradle.lockfile packages.lock.json
	paket.lock cabal.project.freeze`)

// Endings and beginnings of the names of generated files.
var (
	asideEndings = []string{".min.js", ".min.css", ".js.map", ".css.map", ".bundle.js", ".pb.go", ".pb.gw.go", ".pb.cc", ".pb.h",
		"_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb.js", "_pb.d.ts", ".pb.dart", ".g.dart", ".freezed.dart", ".designer.cs",
		"_gen.go", ".gen.go", ".gen.ts", ".lock"}
	asideBeginnings = []string{"zz_generated"}
	asideMarks      = []string{".generated.", "_generated.", "-generated."}
)

func words(list string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		set[word] = true
	}
	return set
}

func asideFolder(name string) bool { return asideFolders[strings.ToLower(name)] }

// asideFile goes by the name alone: contents are not read.
func asideFile(name string) bool {
	name = strings.ToLower(name)
	if asideFiles[name] {
		return true
	}
	for _, end := range asideEndings {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	for _, begin := range asideBeginnings {
		if strings.HasPrefix(name, begin) {
			return true
		}
	}
	for _, mark := range asideMarks {
		if strings.Contains(name, mark) {
			return true
		}
	}
	return false
}
