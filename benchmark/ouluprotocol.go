package benchmark

import (
	"fmt"
	"slices"
)

// ouluProtocol is a row of the table by which OULU-NPU's list files are made:
// users 1–20 train, 21–35 develop, 36–55 test, and of their files those below.
type ouluProtocol struct {
	name   string
	folder string // of the list files
	suffix string // of the list files: "" or _k
	learn  ouluChoice
	test   ouluChoice
}

type ouluChoice struct {
	phones, sessions, files []int
}

// ouluProtocols returns the 14: illumination, instrument, camera (six), all of them (six).
func ouluProtocols() []ouluProtocol {
	all, both := []int{1, 2, 3, 4, 5, 6}, []int{1, 2, 3}
	files := []int{1, 2, 3, 4, 5}
	list := []ouluProtocol{
		{"oulu-1", "Protocol_1", "", ouluChoice{all, []int{1, 2}, files}, ouluChoice{all, []int{3}, files}},
		{"oulu-2", "Protocol_2", "", ouluChoice{all, both, []int{1, 2, 4}}, ouluChoice{all, both, []int{1, 3, 5}}},
	}
	for k := 1; k <= ouluPhones; k++ {
		list = append(list, ouluProtocol{fmt.Sprintf("oulu-3.%d", k), "Protocol_3", fmt.Sprintf("_%d", k),
			ouluChoice{without(all, k), both, files}, ouluChoice{[]int{k}, both, files}})
	}
	for k := 1; k <= ouluPhones; k++ {
		list = append(list, ouluProtocol{fmt.Sprintf("oulu-4.%d", k), "Protocol_4", fmt.Sprintf("_%d", k),
			ouluChoice{without(all, k), []int{1, 2}, []int{1, 2, 4}}, ouluChoice{[]int{k}, []int{3}, []int{1, 3, 5}}})
	}
	return list
}

func without(numbers []int, k int) []int {
	return slices.DeleteFunc(slices.Clone(numbers), func(n int) bool { return n == k })
}

// has tells whether the video's name is among the chosen.
func (c ouluChoice) has(v Video) bool {
	phone, session, file := ouluNumbers(v)
	return slices.Contains(c.phones, phone) && slices.Contains(c.sessions, session) && slices.Contains(c.files, file)
}

// ouluNumbers are phone, session and file; all are one digit.
func ouluNumbers(v Video) (phone, session, file int) {
	digit := func(text string) int {
		if text == "" {
			return 0
		}
		return int(text[len(text)-1]) - '0'
	}
	return digit(v.Camera), digit(v.Session), digit(v.ID)
}

// protocol: the adversary tells sessions apart, 2, 3, 3 and 2 of them.
func (p ouluProtocol) protocol() Protocol {
	return Protocol{Name: p.name, Datasets: []string{"oulu"}, Domains: len(p.learn.sessions),
		use: func(v Video) (Role, int) {
			if v.Dataset != "oulu" {
				return "", NoDomain
			}
			_, session, _ := ouluNumbers(v)
			switch {
			case v.Split == Test && p.test.has(v):
				return RoleTest, NoDomain
			case v.Split == Train && p.learn.has(v):
				return RoleTrain, session - 1
			case v.Split == Dev && p.learn.has(v):
				return RoleDev, session - 1
			}
			return "", NoDomain
		},
	}
}
