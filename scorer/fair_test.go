package scorer

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/liveproof/liveproof"
)

// at is the place of a session; a capital letter stands for another model.
func at(session string) place {
	if model := strings.ToLower(session); model != session {
		return place{liveproof.SessionID(session), 2}
	}
	return place{liveproof.SessionID(session), 1}
}

// fill queues items named session+number, "a1 a2 b1", one millisecond apart.
func fill(q *fairQueue[string], items string) (shed []string) {
	for i, item := range strings.Fields(items) {
		gone, why := q.add(at(item[:1]), item, time.UnixMilli(int64(i+1)))
		if why != "" {
			shed = append(shed, gone+":"+string(why))
		}
	}
	return shed
}

func TestQueueServesSessionsInTurn(t *testing.T) {
	cases := []struct {
		name, items string
		n           int
		want        string
	}{
		{"one session in order", "a1 a2 a3", 8, "a1 a2 a3"},
		{"a busy session does not crowd out the others", "a1 a2 a3 a4 b1 c1", 3, "a1 b1 c1"},
		{"then it gets the rest", "a1 a2 a3 b1 c1", 5, "a1 b1 c1 a2 a3"},
		{"in turn", "a1 b1 a2 b2 a3 b3", 4, "a1 b1 a2 b2"},
		{"fewer than asked for", "a1", 4, "a1"},
		{"none", "", 4, ""},
	}
	for _, c := range cases {
		q := newFairQueue[string](100, 100)
		fill(q, c.items)
		if got := strings.Join(q.take(c.n), " "); got != c.want {
			t.Errorf("%s: take = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestQueueKeepsTurnsBetweenBatches(t *testing.T) {
	q := newFairQueue[string](100, 100)
	fill(q, "a1 a2 a3 b1 b2 c1")
	first, second, third := q.take(2), q.take(2), q.take(2)
	if got := slices.Concat(first, second, third); strings.Join(got, " ") != "a1 b1 c1 a2 b2 a3" {
		t.Errorf("order = %v", got)
	}
}

// A batch is of one model, that of the session whose turn it is; turns go on across models.
func TestQueueTakesOneModelAtATime(t *testing.T) {
	cases := []struct {
		name, items string
		n           int
		ready       int
		batches     string
	}{
		{"alone, a session fills its batch", "a1 a2 a3", 8, 3, "a1 a2 a3"},
		{"another model's session keeps its place", "a1 B1 c1", 8, 2, "a1 c1|B1"},
		{"who was passed over is next", "a1 B1 C1 d1", 1, 2, "a1|B1|C1|d1"},
		{"no second one while others wait", "a1 a2 a3 B1 B2", 8, 1, "a1|B1|a2|B2|a3"},
		{"a crowd does not starve the last of the old model", "a1 B1 C1 D1 a2 B2 C2 D2", 2, 1, "a1|B1 C1|D1 B2|a2|C2 D2"},
		{"the rest is one model's again", "a1 B1 B2 B3", 8, 1, "a1|B1 B2 B3"},
		{"at a batch's end", "a1 b1 C1", 2, 2, "a1 b1|C1"},
		{"the longest wait is no privilege", "A1 A2 A3 A4 b1", 3, 1, "A1|b1|A2 A3 A4"},
	}
	for _, c := range cases {
		q := newFairQueue[string](100, 100)
		fill(q, c.items)
		if got := q.ready(); got != c.ready {
			t.Errorf("%s: ready = %d, want %d", c.name, got, c.ready)
		}
		var batches []string
		for q.size > 0 {
			batches = append(batches, strings.Join(q.take(c.n), " "))
		}
		if got := strings.Join(batches, "|"); got != c.batches {
			t.Errorf("%s: batches %q, want %q", c.name, got, c.batches)
		}
	}
	if q := newFairQueue[string](9, 9); q.ready() != 0 || len(q.take(3)) != 0 || len(q.takeAll()) != 0 {
		t.Error("an empty queue returned an item")
	}
}

func TestQueueShedsTheOldestFairly(t *testing.T) {
	cases := []struct {
		name, items          string
		capacity, perSession int
		shed, left           string
	}{
		{"room for all", "a1 a2 b1", 3, 2, "", "a1 b1 a2"},
		{"a session above its cap loses its oldest", "a1 a2 a3 b1", 9, 2, "a1:session_cap", "a2 b1 a3"},
		{"full: the longest line gives way", "a1 a2 b1 c1", 3, 9, "a1:capacity", "a2 b1 c1"},
		{"full of single ones: the oldest of all", "a1 b1 c1 d1", 3, 9, "a1:capacity", "b1 c1 d1"},
		{"full: a session replaces its own first", "a1 b1 c1 c2", 3, 9, "c1:capacity", "a1 b1 c2"},
		{"at a cap of one the turn is kept", "a1 b1 a2 c1", 9, 1, "a1:session_cap", "a2 b1 c1"},
	}
	for _, c := range cases {
		q := newFairQueue[string](c.capacity, c.perSession)
		shed := strings.Join(fill(q, c.items), " ")
		if left := strings.Join(q.takeAll(), " "); shed != c.shed || left != c.left {
			t.Errorf("%s: shed %q and left %q, want %q and %q", c.name, shed, left, c.shed, c.left)
		}
	}
}

func TestQueueRemove(t *testing.T) {
	q := newFairQueue[string](9, 9)
	fill(q, "a1 a2 b1")
	if !q.remove(at("a"), "a1") || !q.remove(at("b"), "b1") {
		t.Fatal("waiting items were not removed")
	}
	if q.remove(at("a"), "a1") || q.remove(at("c"), "c1") {
		t.Fatal("absent items were removed")
	}
	if got := q.take(9); len(got) != 1 || got[0] != "a2" || q.size != 0 || !q.oldest().IsZero() {
		t.Fatalf("left %v, size %d", got, q.size)
	}
}

// After any sequence of operations the sizes add up, the caps hold, and no item
// is lost or doubled.
func TestQueueNeverLosesAnItem(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	q := newFairQueue[int](12, 3)
	owner, inside := map[int]place{}, map[int]bool{}
	leave := func(item int) {
		if !inside[item] {
			t.Fatalf("item %d left twice or was never there", item)
		}
		delete(inside, item)
	}
	for i := range 20000 {
		switch random.IntN(4) {
		case 0, 1:
			id := at(string("abcdEFGH"[random.IntN(8)]))
			owner[i], inside[i] = id, true
			if shed, why := q.add(id, i, time.UnixMilli(int64(i))); why != "" {
				leave(shed)
			}
		case 2:
			ready, models := q.ready(), map[uint64]bool{}
			for n, item := range q.take(random.IntN(4)) {
				leave(item)
				if models[owner[item].model] = true; len(models) > 1 || n >= ready {
					t.Fatalf("item %d of %d ready ones, of models %v", n, ready, models)
				}
			}
		default:
			victim := random.IntN(i + 1)
			if q.remove(owner[victim], victim) {
				leave(victim)
			}
		}
		checkQueue(t, q, len(inside))
	}
}

func checkQueue(t *testing.T, q *fairQueue[int], size int) {
	t.Helper()
	n := 0
	for e := q.turn.Front(); e != nil; e = e.Next() {
		l := e.Value.(*line[int])
		if len(l.items) == 0 || len(l.items) > q.perSession || q.lines[l.place] != e {
			t.Fatalf("line of %s: %d items", l.session, len(l.items))
		}
		n += len(l.items)
	}
	if n != size || n != q.size || n > q.capacity || len(q.lines) != q.turn.Len() {
		t.Fatalf("%d items in lines, size %d, want %d", n, q.size, size)
	}
}
