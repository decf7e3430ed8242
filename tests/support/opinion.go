// A second opinion on the log, with nothing of ours: Go's sumdb/note and
// sumdb/tlog over what the broker handed out, and over trees.
//
//	opinion checkpoint VKEY FILE
//	opinion witness VKEY FILE
//	opinion inclusion VKEY FILE
//	opinion consistency VKEY FILE OLD_CHECKPOINT
//	opinion trees <OURS >GOS
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	must(err)
	return data
}

// ---- checkpoints ----

type checkpoint struct {
	size int64
	root tlog.Hash
}

func parseCheckpoint(text, origin string) checkpoint {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] != origin || lines[3] != "" {
		must(errors.New("no checkpoint of that log"))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)
	return checkpoint{size, root}
}

func openCheckpoint(vkey string, msg []byte) checkpoint {
	v, err := note.NewVerifier(vkey)
	must(err)
	n, err := note.Open(msg, note.VerifierList(v))
	must(err)
	return parseCheckpoint(n.Text, v.Name())
}

// A witness's key has type 4, which sumdb/note does not know by itself.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }
func (w witness) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s",
		binary.BigEndian.Uint64(sig), msg)
	return ed25519.Verify(w.key, []byte(signed), sig[8:])
}

func newWitness(vkey string) witness {
	part := strings.SplitN(vkey, "+", 3)
	if len(part) != 3 {
		must(errors.New("no key"))
	}
	key, err := base64.StdEncoding.DecodeString(part[2])
	must(err)
	sum := sha256.Sum256(append([]byte(part[0]+"\n"), key...))
	if len(key) != 33 || key[0] != 4 ||
		fmt.Sprintf("%x", sum[:4]) != part[1] {
		must(errors.New("no witness's key"))
	}
	return witness{part[0], binary.BigEndian.Uint32(sum[:4]), key[1:]}
}

func openWitnessed(vkey string, msg []byte) {
	_, err := note.Open(msg, note.VerifierList(newWitness(vkey)))
	must(err)
}

// ---- proofs ----

// The lines before the first empty one, and the note behind it.
func split(msg []byte) ([]string, []byte) {
	at := bytes.Index(msg, []byte("\n\n"))
	if at < 0 {
		must(errors.New("no empty line"))
	}
	return strings.Split(string(msg[:at]), "\n"), msg[at+2:]
}

func field(line, word string) string {
	if !strings.HasPrefix(line, word+" ") {
		must(errors.New("no line of " + word))
	}
	return line[len(word)+1:]
}

func hashes(lines []string) []tlog.Hash {
	var list []tlog.Hash
	for _, line := range lines {
		h, err := tlog.ParseHash(line)
		must(err)
		list = append(list, h)
	}
	return list
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	must(err)
	return n
}

func inclusion(vkey string, msg []byte) {
	lines, signed := split(msg)
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		must(errors.New("no proof"))
	}
	extra, err := base64.StdEncoding.DecodeString(field(lines[1], "extra"))
	must(err)
	index := number(field(lines[2], "index"))
	salted := sha256.Sum256(extra)
	leaf := append([]byte("kortelijn/v1/leaf\x00"), salted[:]...)
	c := openCheckpoint(vkey, signed)
	must(tlog.CheckRecord(hashes(lines[3:]), c.size, c.root, index,
		tlog.RecordHash(leaf)))
}

func consistency(vkey string, msg, old []byte) {
	lines, signed := split(msg)
	c, before := openCheckpoint(vkey, signed), openCheckpoint(vkey, old)
	if number(field(lines[0], "old")) != before.size {
		must(errors.New("it begins elsewhere"))
	}
	must(tlog.CheckTree(hashes(lines[1:]), c.size, c.root, before.size,
		before.root))
}

// ---- trees ----

// Leaf i is the eight bytes of i.
type tree struct{ stored []tlog.Hash }

func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var list []tlog.Hash
	for _, i := range indexes {
		list = append(list, t.stored[i])
	}
	return list, nil
}

func (t *tree) grow(size int64) {
	var leaf [8]byte
	for n := int64(0); n < size; n++ {
		binary.BigEndian.PutUint64(leaf[:], uint64(n))
		more, err := tlog.StoredHashes(n, leaf[:], t)
		must(err)
		t.stored = append(t.stored, more...)
	}
}

func (t *tree) root(size int64) tlog.Hash {
	if size == 0 {
		return sha256.Sum256(nil)
	}
	h, err := tlog.TreeHash(size, t)
	must(err)
	return h
}

func (t *tree) leaf(index int64) tlog.Hash {
	var leaf [8]byte
	binary.BigEndian.PutUint64(leaf[:], uint64(index))
	return tlog.RecordHash(leaf[:])
}

// What Go says to the same question; what we said is checked first.
func (t *tree) answer(word []string) []tlog.Hash {
	size := number(word[1])
	if word[0] == "root" {
		return []tlog.Hash{t.root(size)}
	}
	at, ours := number(word[2]), hashes(word[3:])
	if word[0] == "inclusion" {
		must(tlog.CheckRecord(ours, size, t.root(size), at,
			t.leaf(at)))
		p, err := tlog.ProveRecord(size, at, t)
		must(err)
		return p
	}
	must(tlog.CheckTree(ours, size, t.root(size), at, t.root(at)))
	p, err := tlog.ProveTree(size, at, t)
	must(err)
	return p
}

func trees(max int64) {
	var t tree
	t.grow(max)
	in := bufio.NewScanner(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	for in.Scan() {
		word := strings.Split(in.Text(), " ")
		keep := 3
		if word[0] == "root" {
			keep = 2
		}
		fmt.Fprint(out, strings.Join(word[:keep], " "))
		for _, h := range t.answer(word) {
			fmt.Fprint(out, " ", h)
		}
		fmt.Fprintln(out)
	}
	must(in.Err())
	must(out.Flush())
}

func main() {
	arg := os.Args[1:]
	switch {
	case len(arg) == 3 && arg[0] == "checkpoint":
		openCheckpoint(arg[1], read(arg[2]))
	case len(arg) == 3 && arg[0] == "witness":
		openWitnessed(arg[1], read(arg[2]))
	case len(arg) == 3 && arg[0] == "inclusion":
		inclusion(arg[1], read(arg[2]))
	case len(arg) == 4 && arg[0] == "consistency":
		consistency(arg[1], read(arg[2]), read(arg[3]))
	case len(arg) == 1 && arg[0] == "trees":
		trees(10000)
	default:
		must(errors.New("usage: see opinion.go"))
	}
}
