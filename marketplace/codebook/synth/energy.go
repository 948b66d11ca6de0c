package synth

import "time"

const espi = "https://utility.example/espi/1_1/resource/RetailCustomer/" + customer + "/UsagePoint/1"

// greenButton writes hourly readings in one block a day, with the customer's
// number in every link and the address as title, as utilities do.
func greenButton(m *maker) {
	m.printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n")
	m.printf("<id>urn:uuid:7B1DDB30-5A2D-4F0E-9A37-%s0000</id><title>Green Button Usage Feed</title>\n", customer)
	m.entry(espi, "", street+", "+town, `<UsagePoint xmlns="http://naesb.org/espi"><ServiceCategory><kind>0</kind></ServiceCategory></UsagePoint>`)
	m.entry(espi+"/MeterReading/1", "https://utility.example/espi/1_1/resource/ReadingType/7", "Hourly electricity of "+lastName, `<MeterReading xmlns="http://naesb.org/espi"/>`)
	m.entry("https://utility.example/espi/1_1/resource/ReadingType/7", "", "Energy delivered (Wh)", `<ReadingType xmlns="http://naesb.org/espi"><accumulationBehaviour>4</accumulationBehaviour><commodity>1</commodity><currency>978</currency><flowDirection>1</flowDirection><intervalLength>3600</intervalLength><kind>12</kind><powerOfTenMultiplier>0</powerOfTenMultiplier><uom>72</uom></ReadingType>`)
	base, peak := m.between(90, 260), m.between(500, 1600)
	for i := range m.days {
		m.block(i, base, peak)
	}
	m.printf("</feed>\n")
}

func (m *maker) entry(self, related, title, content string) {
	m.printf("<entry><id>urn:uuid:%08x</id><link rel=\"self\" href=%q/>", m.Uint32(), self)
	if related != "" {
		m.printf("<link rel=\"related\" href=%q/>", related)
	}
	m.printf("<title>%s</title><content>%s</content></entry>\n", title, content)
}

// load is how much of the peak a household draws by hour, in percent.
var (
	workday = [24]int{5, 4, 3, 3, 3, 6, 28, 42, 25, 12, 10, 11, 14, 12, 10, 12, 25, 55, 92, 100, 80, 60, 35, 12}
	dayOff  = [24]int{9, 6, 4, 3, 3, 3, 6, 16, 40, 52, 48, 45, 55, 50, 40, 38, 42, 60, 88, 90, 75, 60, 42, 22}
)

func (m *maker) block(i, base, peak int) {
	day := m.day(i)
	shape := workday
	if weekend(day) {
		shape = dayOff
	}
	winter := 100 + abs(int(day.YearDay())-182)/6
	self := espi + "/MeterReading/1/IntervalBlock"
	m.printf("<entry><id>urn:uuid:%08x</id><link rel=\"self\" href=\"%s/%d\"/><link rel=\"up\" href=%q/><title/><content><IntervalBlock xmlns=\"http://naesb.org/espi\"><interval><duration>86400</duration><start>%d</start></interval>\n", m.Uint32(), self, i+1, self, day.Unix())
	for hour, percent := range shape {
		wh := base + m.around(peak*percent/100, peak*percent/250+1)*winter/100
		m.printf("<IntervalReading><timePeriod><duration>3600</duration><start>%d</start></timePeriod><value>%d</value></IntervalReading>\n", day.Add(time.Duration(hour)*time.Hour).Unix(), max(wh, 0))
	}
	m.printf("</IntervalBlock></content></entry>\n")
}

func abs(n int) int { return max(n, -n) }
