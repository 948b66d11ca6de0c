package authserver

// metadata is an authorization server's description of itself: RFC 8414, with
// the members that OpenID Connect Discovery 1.0 adds left out of it when empty.
type metadata struct {
	Issuer                string   `json:"issuer"`
	Authorization         string   `json:"authorization_endpoint,omitempty"`
	Token                 string   `json:"token_endpoint"`
	Keys                  string   `json:"jwks_uri,omitempty"`
	Revocation            string   `json:"revocation_endpoint"`
	Introspection         string   `json:"introspection_endpoint"`
	Scopes                []string `json:"scopes_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported,omitempty"`
	Grants                []string `json:"grant_types_supported"`
	TokenAuth             []string `json:"token_endpoint_auth_methods_supported"`
	RevocationAuth        []string `json:"revocation_endpoint_auth_methods_supported"`
	IntrospectionAuth     []string `json:"introspection_endpoint_auth_methods_supported"`
	Challenges            []string `json:"code_challenge_methods_supported,omitempty"`
	IssuerInResponse      bool     `json:"authorization_response_iss_parameter_supported,omitempty"`
	Subjects              []string `json:"subject_types_supported,omitempty"`
	Signatures            []string `json:"id_token_signing_alg_values_supported,omitempty"`
	Claims                []string `json:"claims_supported,omitempty"`
	RequestParameter      *bool    `json:"request_parameter_supported,omitempty"`
	RequestURIParameter   *bool    `json:"request_uri_parameter_supported,omitempty"`
	RequestURIsRegistered *bool    `json:"require_request_uri_registration,omitempty"`
}

// oauthMetadata describes what this server does now; without logins that is the
// client credentials grant alone.
func (s *Server) oauthMetadata() metadata {
	at := func(path string) string { return s.issuer.String() + path }
	methods := []string{"client_secret_basic", "client_secret_post"}
	m := metadata{
		Issuer: s.issuer.String(), Token: at(pathToken), Revocation: at(pathRevoke), Introspection: at(pathIntrospect),
		Scopes: ResearcherScopes(), ResponseTypes: []string{}, Grants: []string{grantClient},
		TokenAuth: methods, RevocationAuth: methods, IntrospectionAuth: methods,
	}
	if s.logins {
		m.Authorization, m.Keys = at(pathAuthorize), at(pathKeys)
		m.Scopes = append(m.Scopes, openIDScopes()...)
		m.ResponseTypes, m.ResponseModes = []string{"code"}, []string{"query"}
		m.Grants = append(m.Grants, grantCode)
		m.Challenges, m.IssuerInResponse = []string{"S256"}, true
	}
	return m
}

func (s *Server) openIDMetadata() metadata {
	no := false
	m := s.oauthMetadata()
	m.Subjects, m.Signatures = []string{"public"}, []string{s.signing.algorithm}
	m.Claims = []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "name"}
	m.RequestParameter, m.RequestURIParameter, m.RequestURIsRegistered = &no, &no, &no
	return m
}
