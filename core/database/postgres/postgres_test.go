//go:build !windows

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core/database"
	"github.com/seojaeohcode/atio/core/database/postgres"
	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/progress"
)

// fromJSON is a reader of one batch.
func fromJSON(t *testing.T, schema *arrow.Schema, text string) array.RecordReader {
	t.Helper()
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return reader(t, batch)
}

func reader(t *testing.T, batch arrow.RecordBatch) array.RecordReader {
	t.Helper()
	r, err := array.NewRecordReader(batch.Schema(), []arrow.RecordBatch{batch})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Release)
	return r
}

func options(table string, mode database.Mode) *postgres.Options {
	return &postgres.Options{Connection: server.connection, Table: table, Mode: mode}
}

func one(name string, dt arrow.DataType) *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{{Name: name, Type: dt, Nullable: true}}, nil)
}

func numbers(t *testing.T, n int) array.RecordReader {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	for i := range n {
		b.Append(int64(i))
	}
	return reader(t, array.NewRecordBatch(one("i", arrow.PrimitiveTypes.Int64), []arrow.Array{b.NewArray()}, int64(n)))
}

// Arrow's types become types of the server that hold their values.
func TestTypes(t *testing.T) {
	cases := []struct {
		dt         arrow.DataType
		json       string
		sql        string
		text       []string
		comparison string
	}{
		{dt: arrow.FixedWidthTypes.Boolean, json: `[true, null, false]`, sql: "boolean", text: []string{"t", "NULL", "f"}},
		{dt: arrow.PrimitiveTypes.Int8, json: `[-128, null]`, sql: "smallint", text: []string{"-128", "NULL"}},
		{dt: arrow.PrimitiveTypes.Uint16, json: `[65535]`, sql: "integer", text: []string{"65535"}},
		{dt: arrow.PrimitiveTypes.Uint32, json: `[4294967295]`, sql: "bigint", text: []string{"4294967295"}},
		{dt: arrow.PrimitiveTypes.Uint64, json: `[18446744073709551615, 0]`, sql: "numeric(20,0)", text: []string{"18446744073709551615", "0"}},
		{dt: arrow.PrimitiveTypes.Int64, json: `[-9223372036854775808]`, sql: "bigint", text: []string{"-9223372036854775808"}},
		{dt: arrow.PrimitiveTypes.Float32, json: `[1.5, null]`, sql: "real", text: []string{"1.5", "NULL"}},
		{dt: arrow.PrimitiveTypes.Float64, json: `[0.1, -1e300]`, sql: "double precision", text: []string{"0.1", "-1e+300"}},
		{dt: arrow.BinaryTypes.String, json: `["a", "", null, "ü😀"]`, sql: "text", text: []string{"a", "", "NULL", "ü😀"}},
		{dt: arrow.BinaryTypes.LargeString, json: `["a"]`, sql: "text", text: []string{"a"}},
		{dt: arrow.BinaryTypes.Binary, json: `["AP8="]`, sql: "bytea", text: []string{`\x00ff`}},
		{dt: &arrow.FixedSizeBinaryType{ByteWidth: 2}, json: `["AP8="]`, sql: "bytea", text: []string{`\x00ff`}},
		{dt: arrow.FixedWidthTypes.Date32, json: `["2020-02-29", "0001-01-01"]`, sql: "date", text: []string{"2020-02-29", "0001-01-01"}},
		{dt: arrow.FixedWidthTypes.Time32ms, json: `["12:34:56.789"]`, sql: "time without time zone", text: []string{"12:34:56.789"}},
		{dt: arrow.FixedWidthTypes.Time64ns, json: `["23:59:59.999999999"]`, sql: "time without time zone", text: []string{"23:59:59.999999"}},
		{dt: &arrow.TimestampType{Unit: arrow.Nanosecond}, json: `["1969-12-31 23:59:59.999999999"]`, sql: "timestamp without time zone", text: []string{"1969-12-31 23:59:59.999999"}},
		{dt: &arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"}, json: `["2020-01-01 00:00:00Z"]`, sql: "timestamp with time zone", text: []string{"2020-01-01 00:00:00+00"}},
		{dt: arrow.FixedWidthTypes.Duration_ms, json: `["90061001ms"]`, sql: "interval", text: []string{"1 day 01:01:01.001"}},
		{dt: &arrow.Decimal128Type{Precision: 10, Scale: 3}, json: `["1.500", "-0.001", "0"]`, sql: "numeric(10,3)", text: []string{"1.500", "-0.001", "0.000"}},
		{dt: arrow.ListOf(arrow.PrimitiveTypes.Int32), json: `[[1, null], [], null]`, sql: "integer[]", text: []string{"{1,NULL}", "{}", "NULL"}},
		{dt: arrow.LargeListOf(arrow.BinaryTypes.String), json: `[["a,b", "\""]]`, sql: "text[]", text: []string{`{"a,b","\""}`}},
		{dt: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, json: `["b", null, "a", "b"]`, sql: "text", text: []string{"b", "NULL", "a", "b"}},
		{dt: arrow.Null, json: `[null]`, sql: "text", text: []string{"NULL"}},
	}
	for _, c := range cases {
		t.Run(c.dt.String(), func(t *testing.T) {
			rows := strings.ReplaceAll(c.json, "\n", "")
			var b strings.Builder
			a, _, err := array.FromJSON(memory.DefaultAllocator, c.dt, strings.NewReader(rows))
			if err != nil {
				t.Fatal(err)
			}
			b.WriteString(rows)
			batch := array.NewRecordBatch(one("v", c.dt), []arrow.Array{a}, int64(a.Len()))
			if _, err := database.Write(t.Context(), reader(t, batch), options("types", database.Replace), nil); err != nil {
				t.Fatal(err)
			}
			if got := query(t, "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'types'::regclass AND attnum = 1"); got[0][0] != c.sql {
				t.Errorf("type %s, want %s", got[0][0], c.sql)
			}
			var text []string
			for _, row := range query(t, "SET TimeZone = 'UTC'; SELECT v FROM types ORDER BY ctid") {
				text = append(text, row[0])
			}
			if !reflect.DeepEqual(text, c.text) {
				t.Errorf("%q, want %q", text, c.text)
			}
		})
	}
}

func TestUnsupportedTypes(t *testing.T) {
	for _, dt := range []arrow.DataType{
		arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int8}),
		arrow.MapOf(arrow.BinaryTypes.String, arrow.BinaryTypes.String),
		arrow.FixedWidthTypes.MonthInterval,
	} {
		_, err := options("t", database.Replace).Begin(t.Context(), one("v", dt), nil)
		var unsupported *encode.UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Column != "v" {
			t.Errorf("%s: %v", dt, err)
		}
	}
}

// The server writes numerics as they were, whatever their digits.
func TestNumerics(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, scale := range []int32{0, 1, 3, 4, 5, 20, 38} {
		dt := &arrow.Decimal128Type{Precision: 38, Scale: scale}
		b := array.NewDecimal128Builder(memory.DefaultAllocator, dt)
		var want []string
		for i := range 300 {
			digits := 1 + i%38
			v := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
			v.Rem(new(big.Int).SetBytes([]byte(fmt.Sprint(random.Uint64(), random.Uint64(), random.Uint64()))), v)
			if i%7 == 0 { // zeros inside and at the end
				v.Mul(v.Div(v, big.NewInt(100000)), big.NewInt(100000))
			}
			if i%2 == 0 {
				v.Neg(v)
			}
			b.Append(decimal128.FromBigInt(v))
			want = append(want, decimal128.FromBigInt(v).ToString(scale))
		}
		a := b.NewArray()
		batch := array.NewRecordBatch(one("v", dt), []arrow.Array{a}, int64(a.Len()))
		o := options("numerics", database.Replace)
		o.Columns = []database.Column{{Name: "v", SQL: "numeric"}}
		if _, err := database.Write(t.Context(), reader(t, batch), o, nil); err != nil {
			t.Fatal(err)
		}
		for i, row := range query(t, "SELECT v FROM numerics ORDER BY ctid") {
			got, ok1 := new(big.Rat).SetString(row[0])
			expected, ok2 := new(big.Rat).SetString(want[i])
			_, fraction, _ := strings.Cut(row[0], ".")
			if !ok1 || !ok2 || got.Cmp(expected) != 0 || len(fraction) != int(scale) {
				t.Errorf("scale %d, row %d: %s, want %s", scale, i, row[0], want[i])
			}
		}
	}
}

func TestModes(t *testing.T) {
	query(t, "DROP TABLE IF EXISTS modes; SELECT 1")
	write := func(mode database.Mode, n int) error {
		_, err := database.Write(t.Context(), numbers(t, n), options("modes", mode), nil)
		return err
	}
	count := func(want string) {
		t.Helper()
		if got := query(t, "SELECT count(*) FROM modes"); got[0][0] != want {
			t.Errorf("%s rows, want %s", got[0][0], want)
		}
	}
	for _, step := range []struct {
		mode database.Mode
		n    int
		want string
	}{{database.Fail, 3, "3"}, {database.Append, 2, "5"}, {database.Replace, 4, "4"}, {database.Delete, 1, "1"}} {
		if err := write(step.mode, step.n); err != nil {
			t.Fatal(err)
		}
		count(step.want)
	}
	if err := write(database.Fail, 1); !errors.Is(err, database.ErrExists) {
		t.Errorf("%v, want ErrExists", err)
	}
	if err := write("always", 1); err == nil {
		t.Error("a mode that there is not")
	}
	if err := write(database.Upsert, 1); err == nil {
		t.Error("an upsert without a key")
	}
	count("1")
	o := options("modes", database.Upsert)
	o.Key = []string{"i"}
	_, err := database.Write(t.Context(), numbers(t, 1), o, nil)
	var refused *database.ServerError
	if !errors.As(err, &refused) || refused.Code != "42P10" {
		t.Errorf("%v, want 42P10", err)
	}
}

// Whatever ends a write before its commit, nothing is left, and no goroutine either.
func TestAbort(t *testing.T) {
	query(t, "DROP TABLE IF EXISTS aborted; SELECT 1")
	before := runtime.NumGoroutine()
	for _, end := range []string{"abort", "cancel", "value"} {
		ctx, cancel := context.WithCancel(t.Context())
		r := numbers(t, 100_000)
		var p progress.Counter
		tx, err := options("aborted", database.Replace).Begin(ctx, r.Schema(), &p)
		if err != nil {
			t.Fatal(err)
		}
		r.Next()
		if err := tx.Write(r.RecordBatch()); err != nil {
			t.Fatal(err)
		}
		switch end {
		case "cancel":
			cancel()
			if err := tx.Finish(); !errors.Is(err, context.Canceled) {
				t.Errorf("%v, want a cancelled context", err)
			}
		case "value":
			other := fromJSON(t, one("i", arrow.BinaryTypes.String), `[{"i": "x"}]`)
			other.Next()
			if err := tx.Write(other.RecordBatch()); err == nil {
				t.Error("text went into an integer")
			}
		}
		tx.Abort()
		tx.Abort()
		cancel()
	}
	if got := query(t, "SELECT count(*) FROM pg_class WHERE relname = 'aborted' OR starts_with(relname, '.atio')"); got[0][0] != "0" {
		t.Errorf("%s tables are left", got[0][0])
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
	}
}

// proxy passes everything to the server until it sees a COMMIT; then it cuts the
// connection, before or after passing it on, and takes no other if it is to be
// unreachable.
type proxy struct {
	listener net.Listener
	pass     bool
	gone     bool
	mu       sync.Mutex
	cut      bool
}

func startProxy(t *testing.T, pass, gone bool) (*proxy, string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, pass: pass, gone: gone}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			refuse := p.cut && p.gone
			p.mu.Unlock()
			upstream, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", server.port))
			if err != nil || refuse {
				_ = client.Close()
				continue
			}
			go func() { _, _ = io.Copy(client, upstream); _ = client.Close() }()
			go p.forward(upstream, client)
		}
	}()
	port := l.Addr().(*net.TCPAddr).Port
	return p, strings.Replace(server.connection, fmt.Sprintf("port=%d", server.port), fmt.Sprintf("port=%d", port), 1)
}

func (p *proxy) forward(upstream, client net.Conn) {
	defer upstream.Close()
	defer client.Close()
	buf := make([]byte, 1<<16)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		if strings.Contains(string(buf[:n]), "COMMIT\x00") {
			p.mu.Lock()
			p.cut = true
			p.mu.Unlock()
			_ = client.Close()
			if p.pass {
				_, _ = upstream.Write(buf[:n])
				time.Sleep(200 * time.Millisecond)
			}
			return
		}
		if _, err := upstream.Write(buf[:n]); err != nil {
			return
		}
	}
}

// A connection that is lost during the commit: what came of it is found, or said
// to be unknown.
func TestLostCommit(t *testing.T) {
	for _, c := range []struct {
		pass, gone bool
		rows       string
		want       any
	}{
		{pass: true, rows: "5"},
		{pass: false, rows: "0", want: new(*database.LostError)},
		{pass: true, gone: true, rows: "5", want: new(*database.UnknownError)},
		{pass: false, gone: true, rows: "0", want: new(*database.UnknownError)},
	} {
		query(t, "DROP TABLE IF EXISTS lost; CREATE TABLE lost (i bigint); SELECT 1")
		o := options("lost", database.Replace)
		_, o.Connection = startProxy(t, c.pass, c.gone)
		o.OutcomeTimeout = 10 * time.Second
		if c.gone {
			o.OutcomeTimeout = time.Second
		}
		_, err := database.Write(t.Context(), numbers(t, 5), o, nil)
		if c.want == nil && err != nil || c.want != nil && !errors.As(err, c.want) {
			t.Errorf("pass %v, gone %v: %v, want %T", c.pass, c.gone, err, c.want)
		}
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			got := query(t, "SELECT count(*) FROM lost")[0][0]
			if got == c.rows {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("pass %v, gone %v: %s rows, want %s", c.pass, c.gone, got, c.rows)
			}
		}
	}
}

func TestNoServer(t *testing.T) {
	o := options("t", database.Append)
	l, err := net.Listen("tcp", "127.0.0.1:0") // which never answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o.Connection = fmt.Sprintf("host=127.0.0.1 port=%d user=u password=hunter2 sslmode=disable", l.Addr().(*net.TCPAddr).Port)
	o.ConnectTimeout = 300 * time.Millisecond
	_, err = o.Begin(t.Context(), one("v", arrow.PrimitiveTypes.Int8), nil)
	var connect *database.ConnectError
	if !errors.As(err, &connect) || !connect.Timeout || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v, want a timeout without the password", err)
	}
	o.Connection = "host=127.0.0.1 port=nonsense password=hunter2"
	if _, err = o.Begin(t.Context(), one("v", arrow.PrimitiveTypes.Int8), nil); !errors.As(err, &connect) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v, want a connection error without the password", err)
	}
}
