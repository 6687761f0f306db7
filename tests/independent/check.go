// Checks a published log with the packages that Go itself uses for its checksum database: nothing of ours is in it.
//
//	check FOLDER VKEY [EARLIER]
//
// Reads FOLDER/checkpoint and the tiles beside it, checks the signature, then for every leaf that it is in the tree,
// and that the tree continues the one of the note EARLIER. Prints "ok SIZE", or says why not and exits with 1.
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type folder string

func (folder) Height() int { return 8 }

func (folder) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles finds a tile where tlog-tiles puts it: without the height, and whole where it is whole by now.
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		raw, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		found = append(found, raw)
	}
	return found, nil
}

func read(path string, verifier note.Verifier) (tlog.Tree, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(raw, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	hash, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(hash) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("not a root: %s", lines[2])
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], hash)
	return tree, nil
}

// leaves are those of an entries bundle, each behind its length in two bytes.
func leaves(f folder, index, width int64) ([][]byte, error) {
	tile := tlog.Tile{H: 8, L: 0, N: index, W: int(width)}
	path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
	raw, err := os.ReadFile(filepath.Join(string(f), path))
	if err != nil {
		return nil, err
	}
	var found [][]byte
	for len(raw) > 0 {
		if len(raw) < 2 || len(raw) < 2+int(raw[0])<<8+int(raw[1]) {
			return nil, fmt.Errorf("%s is cut off", path)
		}
		end := 2 + int(raw[0])<<8 + int(raw[1])
		found = append(found, raw[2:end])
		raw = raw[end:]
	}
	if int64(len(found)) != width {
		return nil, fmt.Errorf("%s holds %d leaves", path, len(found))
	}
	return found, nil
}

func check(f folder, vkey, earlier string) (int64, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return 0, err
	}
	tree, err := read(filepath.Join(string(f), "checkpoint"), verifier)
	if err != nil {
		return 0, err
	}
	hashes := tlog.TileHashReader(tree, f)
	for at := int64(0); at < tree.N; at += 256 {
		width := tree.N - at
		if width > 256 {
			width = 256
		}
		found, err := leaves(f, at/256, width)
		if err != nil {
			return 0, err
		}
		for number, leaf := range found {
			index := at + int64(number)
			proof, err := tlog.ProveRecord(tree.N, index, hashes)
			if err != nil {
				return 0, err
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(leaf)); err != nil {
				return 0, fmt.Errorf("leaf %d: %v", index, err)
			}
		}
	}
	if earlier == "" {
		return tree.N, nil
	}
	before, err := read(earlier, verifier)
	if err != nil {
		return 0, err
	}
	if before.N > tree.N {
		return 0, fmt.Errorf("rolled back from %d to %d", before.N, tree.N)
	}
	proof, err := tlog.ProveTree(tree.N, before.N, hashes)
	if err != nil {
		return 0, err
	}
	return tree.N, tlog.CheckTree(proof, tree.N, tree.Hash, before.N, before.Hash)
}

func main() {
	earlier := ""
	if len(os.Args) > 3 {
		earlier = os.Args[3]
	}
	size, err := check(folder(os.Args[1]), os.Args[2], earlier)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Printf("ok %d\n", size)
}
