package mongodb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"github.com/seojaeohcode/atio/core/database"
	"github.com/seojaeohcode/atio/core/encode"
)

// Codes of the server's errors (https://www.mongodb.com/docs/manual/reference/error-codes).
const (
	codeUnauthorized      = 13
	codeNamespaceNotFound = 26
	codeNamespaceExists   = 48
	codeCommandNotFound   = 59
)

// server is a database on a server, and what is known of it.
type server struct {
	client       *mongo.Client
	db           *mongo.Database
	name         string // of the server, without credentials
	secrets      []string
	transactions bool          // it has them
	ahead        time.Duration // of its clock before ours
	concern      bson.D        // how safe a commit is
}

// connect finds the server and asks what it can do.
func connect(ctx context.Context, o *Options) (*server, error) {
	s := &server{secrets: secretsOf(o.URI)}
	bad := func(err error) error {
		return &encode.OptionError{Format: format, Option: "connection_uri", Value: database.Redact(withoutUser(o.URI), s.secrets...),
			Reason: database.Redact(err.Error(), s.secrets...)}
	}
	parsed, err := connstring.ParseAndValidate(o.URI)
	if err != nil {
		return nil, bad(err)
	}
	s.name = "mongodb://" + strings.Join(parsed.Hosts, ",")
	name := o.Database
	if name == "" {
		name = parsed.Database
	}
	if name == "" {
		return nil, &encode.OptionError{Format: format, Option: "database", Value: "None",
			Reason: "name the database, here or in connection_uri as in mongodb://host/database"}
	}
	opts := options.Client().ApplyURI(o.URI)
	if opts.AppName == nil {
		opts.SetAppName("atio")
	}
	s.concern = bson.D{{Key: "w", Value: "majority"}}
	if wc := opts.WriteConcern; wc != nil {
		if !wc.Acknowledged() {
			return nil, bad(errors.New("w=0 asks for no answers, without which nobody knows whether the documents are there"))
		}
		if s.concern, err = concernOf(wc); err != nil {
			return nil, bad(err)
		}
	}
	if s.client, err = mongo.Connect(opts); err != nil {
		return nil, bad(err)
	}
	s.db = s.client.Database(name)
	if err := s.hello(ctx); err != nil {
		s.disconnect()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if s.isLost(err) {
			return nil, &database.ConnectError{Server: s.name, Timeout: mongo.IsTimeout(err), Err: database.Redacted(err, s.secrets...)}
		}
		return nil, s.failure("connect", err)
	}
	return s, nil
}

// hello asks the server what it is.
func (s *server) hello(ctx context.Context) error {
	var is struct {
		SetName   string    `bson:"setName"`
		Message   string    `bson:"msg"`
		LocalTime time.Time `bson:"localTime"`
		Sessions  *int32    `bson:"logicalSessionTimeoutMinutes"`
		Wire      int32     `bson:"maxWireVersion"`
	}
	err := s.db.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&is)
	if hasCode(err, codeCommandNotFound) {
		err = s.db.RunCommand(ctx, bson.D{{Key: "isMaster", Value: 1}}).Decode(&is)
	}
	if err != nil {
		return err
	}
	// Replica sets have them since 4.0, sharded clusters since 4.2.
	s.transactions = is.Sessions != nil && (is.SetName != "" && is.Wire >= 7 || is.Message == "isdbgrid" && is.Wire >= 8)
	if !is.LocalTime.IsZero() {
		s.ahead = time.Until(is.LocalTime)
	}
	return nil
}

// now is about the server's time.
func (s *server) now() time.Time { return time.Now().Add(s.ahead) }

func (s *server) disconnect() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.client.Disconnect(ctx) // there is nothing left to save
}

// admin runs a command in the database for them.
func (s *server) admin(ctx context.Context, command bson.D) error {
	return s.client.Database("admin").RunCommand(ctx, command).Err()
}

// isLost reports whether err means that the server may not have got a command, or
// its answer was lost.
func (s *server) isLost(err error) bool {
	var selection topology.ServerSelectionError
	return errors.As(err, &selection) || mongo.IsNetworkError(err) || mongo.IsTimeout(err) || errors.Is(err, mongo.ErrClientDisconnected)
}

// failure is what a user is told of an error in the middle of a write.
func (s *server) failure(op string, err error) error {
	var e mongo.CommandError
	switch {
	case err == nil:
		return nil
	case s.isLost(err):
		return &database.LostError{Server: s.name, Op: op, Err: database.Redacted(err, s.secrets...)}
	case errors.As(err, &e) && e.Code != 0:
		return &database.ServerError{Op: op, Code: fmt.Sprint(e.Code), Message: database.Redact(e.Message, s.secrets...), Detail: e.Name}
	}
	var bulk mongo.WriteException
	if errors.As(err, &bulk) && len(bulk.WriteErrors) > 0 {
		first := bulk.WriteErrors[0]
		return &database.ServerError{Op: op, Code: fmt.Sprint(first.Code), Message: database.Redact(first.Message, s.secrets...)}
	}
	return database.Redacted(err, s.secrets...)
}

func hasCode(err error, code int) bool {
	var e mongo.ServerError
	return errors.As(err, &e) && e.HasErrorCode(code)
}

// secretsOf are the parts of a connection string that are nobody's business.
func secretsOf(uri string) []string {
	var out []string
	add := func(s string) {
		if s != "" {
			out = append(out, s)
		}
		if plain, err := url.PathUnescape(s); err == nil && plain != s && plain != "" {
			out = append(out, plain)
		}
	}
	_, rest, _ := strings.Cut(uri, "://")
	address, query, _ := strings.Cut(rest, "?")
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		_, password, _ := strings.Cut(address[:at], ":")
		add(password)
	}
	for _, option := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' }) {
		name, value, _ := strings.Cut(option, "=")
		switch lower := strings.ToLower(name); {
		case strings.Contains(lower, "password"), lower == "authmechanismproperties":
			add(value)
		}
	}
	return out
}

// withoutUser is a connection string without its user and password.
func withoutUser(uri string) string {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok {
		return "***" // whatever it is
	}
	address, query, _ := strings.Cut(rest, "?")
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		address = address[at+1:]
	}
	if query != "" {
		query = "?" + query
	}
	return scheme + "://" + address + query
}

// writeError is why the server did not insert the document of a row.
func (s *server) writeError(row int64, code int, message string) error {
	return &database.ServerError{
		Op: fmt.Sprintf("insert row %d", row), Code: fmt.Sprint(code), Message: database.Redact(message, s.secrets...),
	}
}
