// Polls by net/http: `poll URL...`.
package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	for _, url := range os.Args[1:] {
		if answer, err := http.Get(url); err != nil {
			fmt.Println(err)
		} else {
			fmt.Println(answer.StatusCode)
			answer.Body.Close()
		}
	}
}
