package synth

import "time"

// movement is one booking in cents.
type movement struct {
	date           time.Time
	cents          int
	ofx            string // TRNTYPE
	family, detail string // ISO 20022 family and sub-family
	who, remark    string
}

// movements draws a household's money: pay on the 25th, rent on the 1st, a
// power bill, cards most days and more on Saturdays, cash now and then.
func (m *maker) movements() []movement {
	m.reseed("bank")
	pay, rent, shop := m.between(190_000, 380_000), m.between(65_000, 140_000), m.between(900, 3200)
	var out []movement
	for i := range m.days {
		day := m.day(i)
		switch day.Day() {
		case 1:
			out = append(out, movement{day, -rent, "DIRECTDEBIT", "RDDT", "ESDD", "Woningstichting " + town, "Rent " + street})
		case 12:
			out = append(out, movement{day, -m.around(8900, 2100), "DIRECTDEBIT", "RDDT", "ESDD", "Utility " + town, "Customer " + customer})
		case 25:
			out = append(out, movement{day, pay, "DIRECTDEP", "RCDT", "SALA", employer, "Salary " + firstName + " " + lastName})
		}
		cards := m.IntN(3)
		if day.Weekday() == time.Saturday {
			cards += 2
		}
		for range cards {
			out = append(out, movement{day, -max(m.around(shop, shop-100), 95), "POS", "CCRD", "POSD", employer, "Card of " + firstName})
		}
		if m.oneIn(17) {
			out = append(out, movement{day, -1000 * m.between(2, 10), "ATM", "CCRD", "CWDL", "ATM " + town, "Cash"})
		}
	}
	return out
}

func ofx(m *maker) {
	m.printf("OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\nSECURITY:NONE\r\nENCODING:USASCII\r\nCHARSET:1252\r\nCOMPRESSION:NONE\r\nOLDFILEUID:NONE\r\nNEWFILEUID:NONE\r\n\r\n")
	m.printf("<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><DTSERVER>%s<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1>\r\n", m.day(m.days).Format("20060102150405"))
	m.printf("<BANKMSGSRSV1><STMTTRNRS><TRNUID>0<STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>COOPNL2X<ACCTID>%s<ACCTTYPE>CHECKING</BANKACCTFROM>\r\n<BANKTRANLIST><DTSTART>%s<DTEND>%s\r\n",
		accountID, m.start.Format("20060102"), m.day(m.days).Format("20060102"))
	for i, v := range m.movements() {
		m.printf("<STMTTRN><TRNTYPE>%s<DTPOSTED>%s120000.000[+1:CET]<TRNAMT>%s<FITID>%s%06d<NAME>%s<MEMO>%s %s</STMTTRN>\r\n",
			v.ofx, v.date.Format("20060102"), hundredths(v.cents), accountID, i, v.who, v.remark, email)
	}
	m.printf("</BANKTRANLIST><LEDGERBAL><BALAMT>1000.00<DTASOF>%s</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\r\n", m.day(m.days).Format("20060102"))
}

func camt(m *maker) {
	m.printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><GrpHdr><MsgId>%s</MsgId><CreDtTm>%s</CreDtTm></GrpHdr>\n", iban, m.day(m.days).Format("2006-01-02T15:04:05+01:00"))
	m.printf("<Stmt><Id>%s-1</Id><Acct><Id><IBAN>%s</IBAN></Id><Ccy>EUR</Ccy><Ownr><Nm>%s %s</Nm><PstlAdr><StrtNm>%s</StrtNm><TwnNm>%s</TwnNm></PstlAdr></Ownr></Acct>\n", iban, iban, firstName, lastName, street, town)
	for _, v := range m.movements() {
		sign, day := "CRDT", v.date.Format(time.DateOnly)
		if v.cents < 0 {
			sign = "DBIT"
		}
		m.printf("<Ntry><Amt Ccy=\"EUR\">%s</Amt><CdtDbtInd>%s</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>%s</Dt></BookgDt><ValDt><Dt>%s</Dt></ValDt>", hundredths(abs(v.cents)), sign, day, day)
		m.printf("<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>%s</Cd><SubFmlyCd>%s</SubFmlyCd></Fmly></Domn></BkTxCd>", v.family, v.detail)
		m.printf("<NtryDtls><TxDtls><RltdPties><Cdtr><Nm>%s</Nm></Cdtr><CdtrAcct><Id><IBAN>%s</IBAN></Id></CdtrAcct></RltdPties><RmtInf><Ustrd>%s, %s</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n", v.who, iban, v.remark, phone)
	}
	m.printf("</Stmt></BkToCstmrStmt></Document>\n")
}
