package synth

import "time"

// life is one day of a body, in integers: metres, grams, tenths of a percent.
type life struct {
	date                         time.Time
	worn, weighed                bool
	steps, metres                int
	very, fairly, light, still   int
	basal, active                int
	asleep, inBed                int // minutes of the night that ends on this day
	resting, heart               int
	grams, bmiHundredths, fatPer int
}

// lives draws the days of one person. The person is the same for every format
// of the same seed.
func (m *maker) lives() []life {
	m.reseed("body")
	base, weekendPercent, stride := m.between(5200, 11500), m.between(65, 130), m.between(66, 80)
	sleep, resting := m.between(390, 465), m.between(51, 68)
	grams, centimetres, fat := m.between(56_000, 94_000), m.between(156, 193), m.between(160, 330)
	out := make([]life, m.days)
	for i := range out {
		l := life{date: m.day(i), worn: !m.oneIn(25), weighed: i%7 == m.IntN(7) || i == 0}
		grams += m.around(-5, 160)
		l.grams, l.fatPer = grams, m.around(fat, 6)
		l.bmiHundredths = grams * 1000 / (centimetres * centimetres)
		m.move(&l, base, weekendPercent, stride)
		m.rest(&l, sleep, resting)
		out[i] = l
	}
	return out
}

func (m *maker) move(l *life, base, weekendPercent, stride int) {
	goal := base
	if weekend(l.date) {
		goal = base * weekendPercent / 100
	}
	l.steps = max(m.around(goal, goal*55/100), 300)
	l.metres = l.steps * stride / 100
	l.very = max(m.around((l.steps-6000)/170, 14), 0)
	l.fairly = max(m.around(l.steps/700, 10), 0)
	l.light = m.around(110+l.steps/90, 50)
	l.basal = l.grams * 22 / 1000
	l.active = l.steps*l.grams/1_700_000 + l.very*5
}

func (m *maker) rest(l *life, sleep, resting int) {
	l.asleep = m.around(sleep, 70)
	if weekend(l.date) {
		l.asleep += m.between(0, 50)
	}
	l.inBed = l.asleep + m.between(8, 45)
	l.still = max(1440-l.inBed-l.very-l.fairly-l.light, 0)
	l.resting = m.around(resting, 4)
	l.heart = l.resting + m.between(8, 22)
}

const usDate = "1/2/2006"

func fitbitActivity(m *maker) {
	m.printf("Id,ActivityDate,TotalSteps,TotalDistance,TrackerDistance,LoggedActivitiesDistance,VeryActiveDistance," +
		"ModeratelyActiveDistance,LightActiveDistance,SedentaryActiveDistance,VeryActiveMinutes,FairlyActiveMinutes," +
		"LightlyActiveMinutes,SedentaryMinutes,Calories\r\n")
	for _, l := range m.lives() {
		if !l.worn {
			l = life{date: l.date, still: 1440, basal: l.basal}
		}
		km := hundredths(l.metres / 10)
		m.printf("%s,%s,%d,%s,%s,0,%s,%s,%s,0,%d,%d,%d,%d,%d\r\n", fitbitID, l.date.Format(usDate), l.steps, km, km,
			hundredths(l.metres/40), hundredths(l.metres/80), hundredths(l.metres/16), l.very, l.fairly, l.light, l.still, l.basal+l.active)
	}
}

func fitbitSleep(m *maker) {
	m.printf("Id,SleepDay,TotalSleepRecords,TotalMinutesAsleep,TotalTimeInBed\r\n")
	for i, l := range m.lives() {
		if !l.worn {
			continue
		}
		line := func() {
			m.printf("%s,%s 12:00:00 AM,1,%d,%d\r\n", fitbitID, l.date.Format(usDate), l.asleep, l.inBed)
		}
		line()
		if i%40 == 20 {
			line() // the real export repeats rows now and then
		}
	}
}

func fitbitWeight(m *maker) {
	m.printf("Id,Date,WeightKg,WeightPounds,Fat,BMI,IsManualReport,LogId\r\n")
	for _, l := range m.lives() {
		if !l.weighed {
			continue
		}
		at := l.date.Add(7*time.Hour + time.Duration(m.IntN(3600))*time.Second)
		m.printf("%s,%s,%s,%s,%d,%s,True,%d\r\n", fitbitID, at.Format("1/2/2006 3:04:05 PM"), hundredths(l.grams/10),
			hundredths(l.grams*22046/100_000), l.fatPer/10, hundredths(l.bmiHundredths), at.UnixMilli())
	}
}
