package founding

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Questions asks a person, one line each. Without In there is nobody to ask, and
// every question is answered by its default.
type Questions struct {
	In  *bufio.Reader
	Out io.Writer
}

// maxAnswers is how often a question is put before it is given up.
const maxAnswers = 5

// Ask puts a question until check takes the answer; an empty line means the
// standard answer. What was given beforehand, by a flag, is checked and not asked
// for. It gives up after five answers, or when none comes.
func (q Questions) Ask(given, prompt, standard string, check func(string) error) (string, error) {
	if given != "" || q.In == nil {
		answer := given
		if answer == "" {
			answer = standard
		}
		return answer, check(answer)
	}
	for range maxAnswers {
		fmt.Fprint(q.Out, prompt)
		if standard != "" {
			fmt.Fprintf(q.Out, " [%s]", standard)
		}
		fmt.Fprint(q.Out, ": ")
		line, err := q.In.ReadString('\n')
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
			fmt.Fprintf(q.Out, "  %v\n", err)
		}
	}
	return "", errors.New("that was too often; nothing was written")
}

// Sure asks a question of yes or no, unless yes was given.
func (q Questions) Sure(given bool, prompt string) (bool, error) {
	if given || q.In == nil {
		return given, nil
	}
	answer, err := q.Ask("", prompt+" (yes or no)", "no", oneOf("yes", "no"))
	return answer == "yes", err
}

// Anything takes every answer.
func Anything(string) error { return nil }

// Something takes every answer but none.
func Something(answer string) error {
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
