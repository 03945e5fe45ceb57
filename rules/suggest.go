package rules

import (
	"fmt"
	"slices"
)

// Nearest is the known word that was most likely meant, by edit distance. Empty if none
// is near.
func Nearest(word string, known []string) string {
	best, least := "", max(2, len(word)/3)+1
	for _, k := range known {
		if d := distance(word, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is how many letters have to be changed, added or taken away (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// suggest is the end of a message about an unknown word.
func suggest(word string, known []string) string {
	if near := Nearest(word, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// dropped are keys of the original Paastis that never had, or no longer have, a
// meaning.
var dropped = []string{"provider_name", "provider_zone", "group_name", "name"}

func suggestKey(key string) string {
	if slices.Contains(dropped, key) {
		return "; the original Paastis ignored it: leave it out"
	}
	return suggest(key, append(propertyKeys(), "pattern"))
}

func suggestLabel(key string) string {
	var known []string
	for _, k := range propertyKeys() {
		known = append(known, "paastis."+k)
	}
	return suggest("paastis."+key, known)
}

// propertyKeys are the keys and aliases of all properties.
func propertyKeys() []string {
	var keys []string
	for _, p := range properties {
		keys = append(append(keys, p.Key), p.Aliases...)
	}
	return keys
}
