package appraisal

// flow is where the revenue of a period goes; the parts add up to it.
type flow struct {
	revenue, commission, reserve, purpose, members, unclaimed, investors int64
}

// divideRevenue rounds every part but the members' down, so that what rounding
// leaves is theirs and investors, who come last, never exceed their cap. The
// members' part is unclaimed when there is nobody to pay it to.
func divideRevenue(revenue int64, p Params, claimed bool) flow {
	f := flow{revenue: revenue, commission: revenue * p.Commission / 1000}
	net := revenue - f.commission
	f.reserve = net * p.Reserve / 1000
	f.purpose = net * p.Purpose / 1000
	f.investors = net * p.Investors / 1000
	rest := net - f.reserve - f.purpose - f.investors
	if p.Members == 0 {
		// Charter parts of nothing stay nothing: the cents rounding leaves go to the reserve.
		f.reserve += rest
		return f
	}
	if claimed {
		f.members = rest
	} else {
		f.unclaimed = rest
	}
	return f
}
