package closing

const (
	sqlFix   = `INSERT INTO closing_periods (period, fixed) VALUES (?, ?)`
	sqlFixed = `SELECT fixed FROM closing_periods WHERE period = ?`
	sqlTerms = `SELECT terms FROM marketplace_periods WHERE id = ?`
)
