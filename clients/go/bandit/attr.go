// SPDX-License-Identifier: Apache-2.0

package bandit

import (
	"context"
	"fmt"
	"math"
	"strconv"
)

// Attr is something that a call tells the router: see With.
type Attr struct {
	kind kind
	// Of a feature.
	name string
	text string
	// Why it cannot be sent; empty if it can.
	wrong string
}

type kind uint8

const (
	unitAttr kind = iota
	requestIDAttr
	featureAttr
)

// Unit is what keeps its arm: a user, a session. An empty one is not sent, and
// the request is its own unit then.
func Unit(unit string) Attr {
	return textAttr(unitAttr, "", unit)
}

// RequestID names the request, so that it can be rewarded without its token;
// see Keys.RequestID.
func RequestID(id string) Attr {
	return textAttr(requestIDAttr, "", id)
}

// Text is a feature with categories. An empty one is not sent: the router takes
// what the config calls `missing`, and so it does for a category that it does
// not know.
func Text(feature, value string) Attr {
	return textAttr(featureAttr, feature, value)
}

// Number is a numeric feature; it must be finite.
func Number(feature string, value float64) Attr {
	a := Attr{kind: featureAttr, name: feature}
	if math.IsNaN(value) || math.IsInf(value, 0) {
		a.wrong = fmt.Sprintf("%v is no finite number; leave it out, and the router takes the "+
			"feature's `missing`", value)
		return a
	}
	a.text = strconv.FormatFloat(value, 'g', -1, 64)
	return a
}

// Flag is a numeric feature that is 1 or 0.
func Flag(feature string, value bool) Attr {
	if value {
		return Number(feature, 1)
	}
	return Number(feature, 0)
}

func textAttr(kind kind, name, value string) Attr {
	a := Attr{kind: kind, name: name, text: value}
	if !isMetadataText(value) {
		a.wrong = fmt.Sprintf("%q cannot travel as metadata: only printable ASCII without spaces "+
			"at its ends can; send its percent-encoding, or a hash of it", value)
	}
	return a
}

// isMetadataText: gRPC trims spaces at the ends, so they would be lost.
func isMetadataText(text string) bool {
	for _, b := range []byte(text) {
		if b < ' ' || b > '~' {
			return false
		}
	}
	return text == "" || text[0] != ' ' && text[len(text)-1] != ' '
}

type attrsKey struct{}

// With gives a context whose calls tell the router these, beside what ctx tells
// already; of two that say the same the later counts. It takes a connection
// with Interceptors, or a Client. A call whose attributes cannot be sent fails
// with InvalidArgument and the reason.
func With(ctx context.Context, attrs ...Attr) context.Context {
	before := attrsOf(ctx)
	all := make([]Attr, 0, len(before)+len(attrs))
	for _, list := range [][]Attr{before, attrs} {
		for _, a := range list {
			all = put(all, a)
		}
	}
	return context.WithValue(ctx, attrsKey{}, all)
}

func put(attrs []Attr, a Attr) []Attr {
	for i := range attrs {
		if attrs[i].kind == a.kind && attrs[i].name == a.name {
			attrs[i] = a
			return attrs
		}
	}
	return append(attrs, a)
}

func attrsOf(ctx context.Context) []Attr {
	attrs, _ := ctx.Value(attrsKey{}).([]Attr)
	return attrs
}

// key is where the attribute travels. It fails if there is no such place.
func (a Attr) key(keys Keys) (string, error) {
	switch a.kind {
	case unitAttr:
		return keys.Unit, nil
	case requestIDAttr:
		if keys.RequestID == "" {
			return "", fmt.Errorf("a RequestID without Keys.RequestID: set it to the " +
				"`join.metadata` of the router's config")
		}
		return keys.RequestID, nil
	}
	key := keys.Feature(a.name)
	if err := checkKey(key); err != nil {
		return "", fmt.Errorf("the feature %q: %w", a.name, err)
	}
	return key, nil
}

// describe names the attribute in a message.
func (a Attr) describe() string {
	switch a.kind {
	case unitAttr:
		return "the unit"
	case requestIDAttr:
		return "the request id"
	}
	return fmt.Sprintf("the feature %q", a.name)
}
