package mongodb

import (
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"go.mongodb.org/mongo-driver/v2/bson"
)

func bigOf(n decimal128.Num) *big.Int { return n.BigInt() }

// appendBigDecimal appends what may have more digits than Decimal128, which it
// can hold if they are zeros at the end.
func appendBigDecimal(b, key []byte, n *big.Int, scale int32) ([]byte, error) {
	d, ok := bson.ParseDecimal128FromBigInt(n, -int(scale))
	if !ok {
		return b, problem(fmt.Sprintf("%se%d has more than the %d digits of BSON's Decimal128: round the column, or convert it to strings",
			n, -scale, decimalDigits))
	}
	high, low := d.GetBytes()
	b = binary.LittleEndian.AppendUint64(start(b, bson.TypeDecimal128, key), low)
	return binary.LittleEndian.AppendUint64(b, high), nil
}

func decimals(a *array.Decimal128, scale int32) element {
	return func(b, key []byte, row int) ([]byte, error) { return appendDecimal(b, key, a.Value(row), scale) }
}

func smallDecimals(value func(row int) int64, scale int32) element {
	return func(b, key []byte, row int) ([]byte, error) {
		return appendDecimal(b, key, decimal128.FromI64(value(row)), scale)
	}
}

func bigDecimals(a *array.Decimal256, scale int32) element {
	return func(b, key []byte, row int) ([]byte, error) {
		return appendBigDecimal(b, key, a.Value(row).BigInt(), scale)
	}
}
