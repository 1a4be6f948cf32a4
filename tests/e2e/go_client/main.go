// A terminal of another maker's library, configured from the edc dialect page alone.
package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/moov-io/iso8583"
	"github.com/moov-io/iso8583/encoding"
	"github.com/moov-io/iso8583/field"
	"github.com/moov-io/iso8583/prefix"
)

func digits(n int) field.Field {
	return field.NewString(&field.Spec{Length: n, Enc: encoding.BCD, Pref: prefix.BCD.Fixed})
}

func text(n int, p prefix.Prefixer) field.Field {
	return field.NewString(&field.Spec{Length: n, Enc: encoding.ASCII, Pref: p})
}

var spec = &iso8583.MessageSpec{Name: "edc", Fields: map[int]field.Field{
	0: digits(4),
	1: field.NewBitmap(&field.Spec{Length: 8, Enc: encoding.Binary, Pref: prefix.Hex.Fixed}),
	2: field.NewString(&field.Spec{Length: 19, Enc: encoding.BCD, Pref: prefix.BCD.LL}),
	3: digits(6), 4: digits(12), 7: digits(10), 11: digits(6), 12: digits(6), 13: digits(4),
	22: digits(3), 24: digits(3),
	37: text(12, prefix.ASCII.Fixed), 38: text(6, prefix.ASCII.Fixed), 39: text(2, prefix.ASCII.Fixed),
	41: text(8, prefix.ASCII.Fixed), 42: text(15, prefix.ASCII.Fixed),
	48: text(999, prefix.BCD.LLL), 49: text(3, prefix.ASCII.Fixed), 54: text(999, prefix.BCD.LLL),
	70: digits(3),
}}

type fields map[int]string

var (
	tpdu   = []byte{0x60, 0x00, 0x03, 0x12, 0x34}
	now    = time.Now().In(time.FixedZone("WIT", 9*3600))
	today  = now.Format("0102")
	failed bool
)

func pan(serial int) string {
	body := fmt.Sprintf("93600999%07d", serial)
	sum := 0
	for i := range body {
		d := int(body[len(body)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return fmt.Sprintf("%s%d", body, (10-sum%10)%10)
}

func must(err error) {
	if err != nil {
		fmt.Println("client error:", err)
		os.Exit(2)
	}
}

func pack(mti string, values fields) []byte {
	message := iso8583.NewMessage(spec)
	message.MTI(mti)
	for number, value := range values {
		must(message.Field(number, value))
	}
	packed, err := message.Pack()
	must(err)
	body := append(append([]byte{}, tpdu...), packed...)
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...)
}

func exchange(socket net.Conn, frame []byte) (fields, error) {
	if err := socket.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := socket.Write(frame); err != nil {
		return nil, err
	}
	head := make([]byte, 2)
	if _, err := io.ReadFull(socket, head); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint16(head))
	if _, err := io.ReadFull(socket, body); err != nil {
		return nil, err
	}
	raw := hex.EncodeToString(body)
	if len(body) < 5 || raw[:10] != "6012340003" {
		return nil, fmt.Errorf("TPDU not swapped in %s", raw)
	}
	message := iso8583.NewMessage(spec)
	if err := message.Unpack(body[5:]); err != nil {
		return nil, fmt.Errorf("%w in %s", err, raw)
	}
	answer := fields{}
	for number := range message.GetFields() {
		if number == 1 {
			continue
		}
		value, err := message.GetString(number)
		if err != nil {
			return nil, err
		}
		answer[number] = value
	}
	return answer, nil
}

type client struct{ socket net.Conn }

// step sends and compares; an expectation "-" is absence and "*" is presence.
func (c client) step(name, mti string, values, expected fields) fields {
	answer, err := exchange(c.socket, pack(mti, values))
	var wrong []string
	if err != nil {
		wrong = append(wrong, err.Error())
	}
	for number, want := range expected {
		got, present := answer[number]
		if want == "-" && !present || want == "*" && present || want == got && present {
			continue
		}
		wrong = append(wrong, fmt.Sprintf("DE%d is %q, not %q", number, got, want))
	}
	if len(wrong) > 0 {
		failed = true
		fmt.Printf("FAIL %s: %s\n", name, strings.Join(wrong, "; "))
	} else {
		fmt.Printf("OK %s\n", name)
	}
	return answer
}

func purchase(serial, outlet, stan int, amount string) fields {
	return fields{2: pan(serial), 3: "000000", 4: amount, 11: fmt.Sprintf("%06d", stan),
		12: now.Format("150405"), 13: today, 22: "051", 24: "003",
		41: fmt.Sprintf("LSK%05d", outlet), 42: fmt.Sprintf("BUMA%011d", outlet), 49: "360"}
}

func with(values fields, number int, value string) fields {
	changed := fields{number: value}
	for key, old := range values {
		if key != number {
			changed[key] = old
		}
	}
	return changed
}

func main() {
	socket, err := net.Dial("tcp", os.Args[1])
	must(err)
	c := client{socket}
	network := fields{11: "000001", 41: "LSK00001", 70: "001"}
	c.step("sign-on", "0800", network, fields{0: "0810", 39: "00", 12: "*", 13: "*", 70: "001"})
	c.step("echo", "0800", with(network, 70, "301"), fields{0: "0810", 39: "00", 70: "301"})

	own := purchase(1, 1, 10, "000005000000")
	first := c.step("purchase", "0200", own, fields{0: "0210", 39: "00", 2: own[2], 4: own[4],
		11: own[11], 12: own[12], 13: today, 37: "*", 38: "*", 48: "-", 49: "360",
		54: "6002360C000095000000"})
	same := fields{0: "0210", 37: first[37], 38: first[38], 39: "00", 54: "6002360C000095000000"}
	c.step("repeat", "0200", own, same)
	c.step("repeat 0201", "0201", own, same)
	c.step("other amount", "0200", with(own, 4, "000005000100"), fields{39: "94", 38: "-"})
	inquiry := with(with(own, 3, "310000"), 11, "000011")
	delete(inquiry, 4)
	c.step("inquiry", "0200", inquiry, fields{0: "0210", 39: "00", 54: "6002360C000095000000"})

	goods := purchase(10, 2, 20, "000005000000")
	goods[48] = "GC320001000002000000" + "0002000003000000"
	c.step("restricted purse", "0200", goods, fields{39: "00", 48: "PS18650001000005000000",
		54: "6002360C000100000000" + "6502360C000015000000"})

	undo := with(own, 3, own[3])
	delete(undo, 22)
	c.step("reversal", "0400", undo, fields{0: "0410", 39: "00", 54: "6002360C000100000000"})
	c.step("reversal again", "0400", undo, fields{0: "0410", 39: "00", 54: "6002360C000100000000"})
	c.step("reversal advice", "0420", undo, fields{0: "0430", 39: "00"})
	c.step("repeat after reversal", "0200", own, fields{0: "0210", 39: "68", 38: "-"})

	late := purchase(2, 1, 30, "000000100000")
	early := with(late, 3, late[3])
	delete(early, 22)
	c.step("early reversal", "0400", early, fields{0: "0410", 39: "00", 54: "-"})
	c.step("purchase after its reversal", "0200", late, fields{0: "0210", 39: "68"})

	c.step("blocked card", "0200", purchase(97, 1, 40, "000000100000"), fields{39: "62", 38: "-"})
	c.step("wrong outlet", "0200", with(purchase(3, 1, 41, "000000100000"), 42,
		"BUMA00000000002"), fields{39: "58", 38: "-"})
	c.step("unknown card", "0200", purchase(9000000, 1, 42, "000000100000"), fields{39: "14"})
	c.step("empty purse", "0200", purchase(99, 1, 43, "000000100000"), fields{39: "51",
		54: "6002360C000000000000"})
	c.step("no amount", "0200", purchase(3, 1, 44, "000000000000"), fields{39: "13"})
	c.step("unknown MTI", "0600", purchase(3, 1, 45, "000000100000"), fields{0: "0610", 39: "12"})
	if failed {
		os.Exit(1)
	}
}
