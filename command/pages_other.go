//go:build !linux

package command

// releaseProgram does nothing: what a program's own file takes is left to the system.
func releaseProgram() {}
