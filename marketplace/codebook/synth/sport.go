package synth

import (
	"bytes"
	"encoding/binary"
	"time"
)

// outing is one invented activity.
type outing struct {
	start         time.Time
	running       bool
	seconds       int
	metres, climb int
	heart, top    int
	kcal          int
}

// outings are the same for every format: three a week, of which each format
// tells all.
func (m *maker) outings() (all []outing) {
	m.reseed("sport")
	for i := range m.days {
		if !m.oneIn(2) && i > 0 {
			continue
		}
		o := outing{start: m.day(i).Add(time.Duration(m.between(6*60, 19*60)) * time.Minute), running: m.oneIn(2)}
		o.seconds = m.between(20*60, 70*60)
		o.metres = o.seconds * m.between(24, 32) / 10
		if !o.running {
			o.metres = o.seconds * m.between(50, 80) / 10
		}
		o.climb, o.heart = m.between(10, 240), m.between(118, 152)
		o.top, o.kcal = o.heart+m.between(12, 30), o.seconds/6
		all = append(all, o)
	}
	return all
}

// fitFile writes little-endian FIT with one definition for each message.
type fitFile struct{ body bytes.Buffer }

// message defines local type 0 anew and writes one message; each field is a
// number, a size and a base type, followed by its value.
func (f *fitFile) message(number uint16, fields ...[4]int) {
	f.body.Write([]byte{0x40, 0, 0, byte(number), byte(number >> 8), byte(len(fields))}) //nolint:gosec // the low byte is what is meant
	for _, x := range fields {
		f.body.Write([]byte{byte(x[0]), byte(x[1]), byte(x[2])}) //nolint:gosec // constants of the format
	}
	f.body.WriteByte(0)
	for _, x := range fields {
		raw := binary.LittleEndian.AppendUint64(nil, uint64(x[3])) //nolint:gosec // never negative
		f.body.Write(raw[:x[1]])
	}
}

// text writes a message that holds nothing but one text.
func (f *fitFile) text(number uint16, field byte, text string) {
	f.body.Write([]byte{0x40, 0, 0, byte(number), byte(number >> 8), 1, field, byte(len(text)), 7, 0}) //nolint:gosec // short
	f.body.WriteString(text)
}

func (f *fitFile) write(m *maker) {
	head := []byte{12, 16, 100, 0, 0, 0, 0, 0, '.', 'F', 'I', 'T'}
	binary.LittleEndian.PutUint32(head[4:], uint32(f.body.Len())) //nolint:gosec // small
	sum := uint16(0)
	for _, b := range append(head, f.body.Bytes()...) {
		sum ^= uint16(b)
		for range 8 {
			if sum&1 != 0 {
				sum = sum>>1 ^ 0xA001
			} else {
				sum >>= 1
			}
		}
	}
	m.Write(head)
	m.Write(f.body.Bytes())
	m.Write(binary.LittleEndian.AppendUint16(nil, sum))
}

const fitEpoch = 631_065_600

// fitActivity is a chain of files, one for each outing, as some watches keep
// them.
func fitActivity(m *maker) {
	for _, o := range m.outings() {
		var f fitFile
		at := int(o.start.Unix() - fitEpoch)
		f.message(0, [4]int{0, 1, 0, 4}, [4]int{1, 2, 0x84, 1}, [4]int{3, 4, 0x8C, 90417733}, [4]int{4, 4, 0x86, at})
		f.text(3, 0, firstName+" "+lastName) // user_profile friendly_name
		f.text(23, 27, watch)                // device_info product_name
		for i := 0; i <= o.seconds; i += 60 {
			f.message(20, [4]int{253, 4, 0x86, at + i}, [4]int{0, 4, 0x85, 620_689_000}, [4]int{1, 4, 0x85, 58_000_000 + i*100}, [4]int{3, 1, 2, o.heart})
		}
		sport := 2
		if o.running {
			sport = 1
		}
		f.message(18, [4]int{253, 4, 0x86, at + o.seconds}, [4]int{2, 4, 0x86, at}, [4]int{7, 4, 0x86, (o.seconds + 30) * 1000}, [4]int{8, 4, 0x86, o.seconds * 1000},
			[4]int{9, 4, 0x86, o.metres * 100}, [4]int{11, 2, 0x84, o.kcal}, [4]int{15, 2, 0x84, o.metres * 1400 / o.seconds}, [4]int{22, 2, 0x84, o.climb},
			[4]int{5, 1, 0, sport}, [4]int{16, 1, 2, o.heart}, [4]int{17, 1, 2, o.top})
		f.write(m)
	}
}

func fitWeight(m *maker) {
	m.reseed("body")
	var f fitFile
	f.message(0, [4]int{0, 1, 0, 9}, [4]int{1, 2, 0x84, 15}, [4]int{3, 4, 0x8C, 90417733}, [4]int{4, 4, 0x86, int(m.start.Unix() - fitEpoch)})
	f.text(3, 0, firstName)
	for i := range m.days {
		at := int(m.day(i).Unix()-fitEpoch) + 7*3600
		f.message(30, [4]int{253, 4, 0x86, at}, [4]int{0, 2, 0x84, m.around(7350, 60)}, [4]int{1, 2, 0x84, m.around(2400, 40)}, [4]int{12, 2, 0x84, 0})
	}
	f.write(m)
}

func gpx(m *maker) {
	m.printf(`<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="%s" xmlns="http://www.topografix.com/GPX/1/1" xmlns:ns3="http://www.garmin.com/xmlschemas/TrackPointExtension/v1">
<metadata><author><name>%s %s</name><email id="rosalind.achterberg" domain="example.org"/></author></metadata>
<wpt lat="%s" lon="4.867"><name>%s</name></wpt>
`, watch, firstName, lastName, latitude, street)
	for _, o := range m.outings() {
		kind := "cycling"
		if o.running {
			kind = "running"
		}
		m.printf("<trk><name>%s around %s</name><type>%s</type><trkseg>\n", firstName, town, kind)
		for i := 0; i <= o.seconds; i += 30 {
			m.printf(`<trkpt lat="%s" lon="4.%06d"><ele>%d</ele><time>%s</time><extensions><ns3:TrackPointExtension><ns3:hr>%d</ns3:hr></ns3:TrackPointExtension></extensions></trkpt>`+"\n",
				latitude, 867_000+o.metres*i/o.seconds*15, min(o.climb, i/10), o.start.Add(time.Duration(i)*time.Second).Format(time.RFC3339), o.heart+i%7)
		}
		m.printf("</trkseg></trk>\n")
	}
	m.printf("</gpx>\n")
}

func tcx(m *maker) {
	m.printf(`<?xml version="1.0" encoding="UTF-8"?>
<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"><Activities>
`)
	for _, o := range m.outings() {
		kind, at := "Biking", o.start.Format(time.RFC3339)
		if o.running {
			kind = "Running"
		}
		m.printf(`<Activity Sport="%s"><Id>%s</Id><Lap StartTime="%s"><TotalTimeSeconds>%d</TotalTimeSeconds><DistanceMeters>%d.5</DistanceMeters>
<MaximumSpeed>%s</MaximumSpeed><Calories>%d</Calories><AverageHeartRateBpm><Value>%d</Value></AverageHeartRateBpm><MaximumHeartRateBpm><Value>%d</Value></MaximumHeartRateBpm>
<Track><Trackpoint><Time>%s</Time><Position><LatitudeDegrees>%s</LatitudeDegrees><LongitudeDegrees>4.867</LongitudeDegrees></Position><AltitudeMeters>-1.2</AltitudeMeters></Trackpoint>
<Trackpoint><Time>%s</Time><AltitudeMeters>%d</AltitudeMeters></Trackpoint></Track></Lap>
<Notes>With %s to %s</Notes><Creator><Name>%s</Name><UnitId>%s</UnitId></Creator></Activity>
`, kind, at, at, o.seconds, o.metres, hundredths(o.metres*140/o.seconds), o.kcal, o.heart, o.top, at, latitude,
			o.start.Add(time.Duration(o.seconds)*time.Second).Format(time.RFC3339), o.climb, firstName, town, watch, customer)
	}
	m.printf("</Activities><Author><Name>%s</Name></Author></TrainingCenterDatabase>\n", employer)
}

func garminActivities(m *maker) {
	m.printf(`[{"summarizedActivitiesExport":[`)
	for i, o := range m.outings() {
		kind, divider := "road_biking", ","
		if o.running {
			kind = "running"
		}
		if i == 0 {
			divider = ""
		}
		m.printf(`%s{"activityId":%d,"name":"%s Running","activityType":"%s","userProfileId":%s,"beginTimestamp":%d,"elapsedDuration":%d.0,"duration":%d,"movingDuration":%d,`+
			`"distance":%d,"elevationGain":%d,"avgHr":%d,"maxHr":%d,"startLatitude":%s,"locationName":"%s","deviceId":%s}`, divider, 5_000_000_000+i, town, kind, customer,
			o.start.UnixMilli(), (o.seconds+30)*1000, o.seconds*1000, o.seconds*1000, o.metres*100, o.climb*100, o.heart, o.top, latitude, town, customer)
	}
	m.printf("]}]\n")
}

func stravaActivities(m *maker) {
	m.printf("Activity ID,Activity Date,Activity Name,Activity Type,Activity Description,Elapsed Time,Distance,Max Heart Rate,Activity Gear,Filename,Elapsed Time,Moving Time,Distance,Max Speed,Elevation Gain,Average Heart Rate,Calories\n")
	for i, o := range m.outings() {
		kind := "Ride"
		if o.running {
			kind = "Run"
		}
		m.printf("%d,\"%s\",%s with %s,%s,\"Past %s, %s\",%d,%s,%d,%s,activities/%d.fit.gz,%d.0,%d.0,%d.4,%s,%d.0,%d.0,%d.0\n", 6_000_000_000+i,
			o.start.Format("Jan 2, 2006, 3:04:05 PM"), kind, firstName, kind, street, town, o.seconds, hundredths(o.metres/10), o.top, employer, i,
			o.seconds+30, o.seconds, o.metres, hundredths(o.metres*140/o.seconds), o.climb, o.heart, o.kcal)
	}
}
