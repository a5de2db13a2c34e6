//go:build !ottla_dynamic

package native

import _ "github.com/ottla-kafka/ottla/bindings/go/lib/linux_arm64"
