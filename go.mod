module github.com/paastis/paastis

go 1.26
