package web

import (
	"net/http"

	"distributed.ai/datacoop/web/sealed"
)

func (s *Server) sealed() sealed.API {
	return sealed.API{DB: s.DB, Governance: s.Governance, Member: memberOf, Sure: s.sure, Tell: s.Jobs.Tell}
}

func (s *Server) registerSealed() {
	on(s, route{http.MethodGet, "/v1/me/sealed-identity", "My age identity, sealed so that only I can open it; what a recovery sheet opens is in it for who has shown in the last minutes that it is them", members, 0}, s.sealed().Get)
	on(s, route{http.MethodPut, "/v1/me/sealed-identity", "Store my sealed identity in place of the one I have read; to take a lock away needs a proof that it is me", members, http.StatusNoContent}, s.sealed().Put)
}
