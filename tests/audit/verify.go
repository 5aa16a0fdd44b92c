// SPDX-License-Identifier: Apache-2.0

// Verifies a log directory with the code of Go's checksum database: every entry, its inclusion in
// the signed tree, and the consistency of the tree with each of its beginnings that it is asked for.
// usage: verify DIR VKEY
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type folder struct{ dir string }

func (f folder) Height() int { return 8 }

func (f folder) read(level int, n int64, width int, entries bool) ([]byte, error) {
	name := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		name = fmt.Sprintf("x%03d/%s", n%1000, name)
	}
	kind := fmt.Sprint(level)
	if entries {
		kind = "entries"
	}
	path := filepath.Join(f.dir, "tile", kind, name)
	if width != 256 {
		if data, err := os.ReadFile(fmt.Sprintf("%s.p/%d", path, width)); err == nil {
			return data, nil
		}
	}
	return os.ReadFile(path)
}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range tiles {
		data, err := f.read(tile.L, tile.N, tile.W, false)
		if err != nil {
			return nil, err
		}
		if len(data) < tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s is short", tile.Path())
		}
		out = append(out, data[:tile.W*tlog.HashSize])
	}
	return out, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) entry(index, size int64) ([]byte, error) {
	width := int64(256)
	if index/256 == size/256 {
		width = size % 256
	}
	data, err := f.read(0, index/256, int(width), true)
	if err != nil {
		return nil, err
	}
	for i := index % 256; ; i-- {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("entry %d: the bundle is short", index)
		}
		n := int(binary.BigEndian.Uint16(data))
		if i == 0 {
			return data[2 : 2+n], nil
		}
		data = data[2+n:]
	}
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func main() {
	f := folder{os.Args[1]}
	verifier, err := note.NewVerifier(os.Args[2])
	if err != nil {
		fail("key: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(f.dir, "checkpoint"))
	if err != nil {
		fail("checkpoint: %v", err)
	}
	signed, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		fail("checkpoint: %v", err)
	}
	var origin, root string
	var size int64
	if _, err := fmt.Sscanf(signed.Text, "%s\n%d\n%s\n", &origin, &size, &root); err != nil {
		fail("checkpoint: %v", err)
	}
	hash, err := tlog.ParseHash(root)
	if err != nil {
		fail("checkpoint: %v", err)
	}
	tree := tlog.Tree{N: size, Hash: hash}
	reader := tlog.TileHashReader(tree, f)
	for i := int64(0); i < size; i++ {
		entry, err := f.entry(i, size)
		if err != nil {
			fail("entry %d: %v", i, err)
		}
		proof, err := tlog.ProveRecord(size, i, reader)
		if err != nil {
			fail("entry %d: %v", i, err)
		}
		if err := tlog.CheckRecord(proof, size, hash, i, tlog.RecordHash(entry)); err != nil {
			fail("entry %d: %v", i, err)
		}
		if i%17 == 0 && i > 0 {
			old, err := tlog.TreeHash(i, reader)
			if err != nil {
				fail("tree of %d: %v", i, err)
			}
			proof, err := tlog.ProveTree(size, i, reader)
			if err != nil {
				fail("tree of %d: %v", i, err)
			}
			if err := tlog.CheckTree(proof, size, hash, i, old); err != nil {
				fail("tree of %d: %v", i, err)
			}
		}
	}
	fmt.Printf("%s %d entries\n", origin, size)
}
