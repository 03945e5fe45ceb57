package docker

import "strings"

// intern moves the texts of a container into one piece of memory. As they were read they lie
// one by one between all that was only read for a moment, and keep its memory in use.
func (c *container) intern() {
	texts := []*string{&c.instance.Name, &c.instance.ID, &c.image, &c.hostname, &c.dependsOn}
	for i := range c.networks {
		at := &c.networks[i]
		texts = append(texts, &at.network, &at.id)
		for j := range at.names {
			texts = append(texts, &at.names[j])
		}
	}
	for _, references := range [][]string{c.lenders, c.sources, c.linked} {
		for i := range references {
			texts = append(texts, &references[i])
		}
	}
	labels := make([]struct{ name, value string }, 0, len(c.labels))
	for name, value := range c.labels {
		labels = append(labels, struct{ name, value string }{name, value})
	}
	for i := range labels {
		texts = append(texts, &labels[i].value)
		if known, ok := composeNames[labels[i].name]; ok {
			labels[i].name = known
		} else {
			texts = append(texts, &labels[i].name)
		}
	}
	internTexts(texts)
	c.labels = make(map[string]string, len(labels))
	for _, l := range labels {
		c.labels[l.name] = l.value
	}
}

// composeNames are the labels that each service of Compose has: one text for all of them.
var composeNames = map[string]string{labelProject: labelProject, labelService: labelService, labelNumber: labelNumber}

// internTexts moves texts into one piece of memory.
func internTexts(texts []*string) {
	size := 0
	for _, text := range texts {
		size += len(*text)
	}
	var piece strings.Builder
	piece.Grow(size)
	for _, text := range texts {
		piece.WriteString(*text)
	}
	rest := piece.String()
	for _, text := range texts {
		end := len(*text)
		*text, rest = rest[:end], rest[end:]
	}
}
