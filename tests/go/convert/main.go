// SPDX-License-Identifier: Apache-2.0

// convert VERSION NEWEST OURS: holds a result that vfkeeper printed at VERSION (the file OURS)
// against what libcni makes of the same result at 1.1.0 (the file NEWEST), and against itself
// after libcni has read it.  Says what differs; exit status 1.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"

	"github.com/containernetworking/cni/pkg/types"
	"github.com/containernetworking/cni/pkg/types/create"
)

func fail(format string, args ...any) {
	fmt.Printf(format+"\n", args...)
	os.Exit(1)
}

// tree is any JSON text as maps, lists and exact numbers.
func tree(text []byte, what string) any {
	var out any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		fail("%s is not JSON: %v", what, err)
	}
	return out
}

func same(a, b []byte, what string) {
	if !reflect.DeepEqual(tree(a, what), tree(b, what)) {
		fail("%s:\n  libcni: %s\n  ours:   %s", what, a, b)
	}
}

func at(result types.Result, version, what string) []byte {
	converted, err := result.GetAsVersion(version)
	if err != nil {
		fail("%s: libcni cannot say it at %s: %v", what, version, err)
	}
	text, err := json.Marshal(converted)
	if err != nil {
		fail("%s: %v", what, err)
	}
	return text
}

func parse(path string) ([]byte, types.Result) {
	text, err := os.ReadFile(path)
	if err != nil {
		fail("%v", err)
	}
	result, err := create.CreateFromBytes(text)
	if err != nil {
		fail("libcni cannot read %s: %v", text, err)
	}
	return text, result
}

func main() {
	if len(os.Args) != 4 {
		fail("usage: convert VERSION NEWEST OURS")
	}
	version := os.Args[1]
	_, newest := parse(os.Args[2])
	text, ours := parse(os.Args[3])
	if ours.Version() != version {
		fail("our result says version %q, not %q", ours.Version(), version)
	}
	same(at(newest, version, "the newest result"), text, "the result at "+version)
	same(at(ours, version, "our result"), text, "the result at "+version+" read by libcni")
	at(ours, "1.1.0", "our result")
}
