// SPDX-License-Identifier: Apache-2.0

// Names what tests/go/build.sh builds, so that go.mod and go.sum cover it.
//go:build tools

package tools

import _ "github.com/containernetworking/cni/cnitool"
