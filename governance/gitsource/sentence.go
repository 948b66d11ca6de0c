package gitsource

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/go-git/go-git/v5/config"
)

// Text says in sentences what a reviewer needs to know, and names nobody.
func (c Contribution) Text() string {
	people := "1 person"
	if len(c.Authors) != 1 {
		people = fmt.Sprintf("%d people", len(c.Authors))
	}
	lines := []string{fmt.Sprintf("%s by %s, %s%s.", counted(c.Commits), people, places(c.Areas), dates(c))}
	if c.Reverts > 0 {
		lines = append(lines, "It takes back earlier work: "+counted(c.Reverts)+".")
	}
	if c.Reverted > 0 {
		lines = append(lines, "Part of it was taken back later: "+counted(c.Reverted)+".")
	}
	return strings.Join(append(lines, "To look at it: "+c.Check), "\n")
}

func places(areas []string) string {
	if len(areas) == 1 && areas[0] == "." {
		return "at the top"
	}
	return "in " + strings.Join(areas, ", ")
}

func dates(c Contribution) string {
	if c.From.IsZero() || c.To.IsZero() {
		return ""
	}
	return ", from " + c.From.UTC().Format("2006-01-02") + " to " + c.To.UTC().Format("2006-01-02")
}

// Settings is what a repository is set up with.
type Settings struct {
	Email  string // that git would put on a commit, as it is written; "" if none
	Origin string // where others know the repository, as host and path; "" if nowhere
}

// Configured reads the settings of the repository at a location; those it does
// not have are empty. Of one that is fetched, only the origin is known.
func Configured(location string) Settings {
	if address, err := parseLocation(location); err != nil || address != nil {
		return Settings{Origin: known(location)}
	}
	repo, err := plainOpen(location)
	if err != nil {
		return Settings{}
	}
	c, err := repo.ConfigScoped(config.GlobalScope)
	if err != nil {
		return Settings{}
	}
	s := Settings{Email: c.User.Email}
	if origin := c.Remotes["origin"]; origin != nil && len(origin.URLs) > 0 {
		s.Origin = known(origin.URLs[0])
	}
	return s
}

// longestOrigin is the length of an origin in characters.
const longestOrigin = 200

// known brings a remote's address into a form that names the repository and
// holds no account, password or path of this machine.
func known(remote string) string {
	if !strings.Contains(remote, "://") {
		if !shortForm.MatchString(remote) {
			return ""
		}
		_, place, found := strings.Cut(remote, "@")
		if !found {
			place = remote
		}
		remote = "ssh://" + strings.Replace(place, ":", "/", 1)
	}
	u, err := url.Parse(remote)
	if err != nil || u.Hostname() == "" || u.Scheme == "file" {
		return ""
	}
	path := strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git")
	return clean(u.Hostname()+"/"+path, longestOrigin)
}
