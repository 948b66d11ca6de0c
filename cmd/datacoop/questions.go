package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// questions asks a person, one line each. Without anybody to ask, every
// question is answered by its default.
type questions struct {
	in  *bufio.Reader // nil: nobody is asked
	out io.Writer
}

// maxAnswers is how often a question is put before it is given up.
const maxAnswers = 5

// ask puts a question until check takes the answer. An empty line means the
// default. What was given beforehand, by a flag, is checked and not asked for.
func (q questions) ask(given, prompt, standard string, check func(string) error) (string, error) {
	if given != "" || q.in == nil {
		answer := given
		if answer == "" {
			answer = standard
		}
		return answer, check(answer)
	}
	for range maxAnswers {
		fmt.Fprint(q.out, prompt)
		if standard != "" {
			fmt.Fprintf(q.out, " [%s]", standard)
		}
		fmt.Fprint(q.out, ": ")
		line, err := q.in.ReadString('\n')
		if err != nil && (!errors.Is(err, io.EOF) || line == "") {
			return "", errors.New("no answer came; nothing was written")
		}
		answer := strings.TrimSpace(line)
		if answer == "" {
			answer = standard
		}
		if err := check(answer); err == nil {
			return answer, nil
		} else {
			fmt.Fprintf(q.out, "  %v\n", err)
		}
	}
	return "", errors.New("that was too often; nothing was written")
}

// sure asks a question of yes or no.
func (q questions) sure(given bool, prompt string) (bool, error) {
	if given || q.in == nil {
		return given, nil
	}
	answer, err := q.ask("", prompt+" (yes or no)", "no", oneOf("yes", "no"))
	return answer == "yes", err
}

func anything(string) error { return nil }

func something(answer string) error {
	if answer == "" {
		return errors.New("this needs an answer")
	}
	return nil
}

func oneOf(words ...string) func(string) error {
	return func(answer string) error {
		for _, w := range words {
			if answer == w {
				return nil
			}
		}
		return errors.New("please answer " + strings.Join(words, ", "))
	}
}
