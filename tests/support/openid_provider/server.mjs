// A certified OpenID Connect provider (oidc-provider) with people of ours; told everything by the environment.
// Its development pages ask for a name and take any password; the name chooses the person.
import Provider from 'oidc-provider';

const { PORT, PAGE, SECRET } = process.env;
const people = {
  ana: { email: 'ana@example.org', email_verified: true, groups: ['wpp-admins', 'staff'] },
  rui: { email: 'rui@example.org', email_verified: true, groups: ['wpp'] },
  eva: { email: 'eva@example.org', email_verified: false, groups: ['wpp'] },
  noe: { email: 'noe@elsewhere.org', email_verified: true, groups: [] },
  '<b>x': { email: 'x@example.org', email_verified: true, groups: ['wpp'] },
};

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  clients: [
    {
      client_id: 'wppconnect-ops',
      client_secret: SECRET,
      redirect_uris: [`${PAGE}/sign-in/provider/callback`],
      post_logout_redirect_uris: [`${PAGE}/sign-in`],
    },
  ],
  pkce: { required: () => true },
  scopes: ['openid', 'profile', 'email', 'groups'],
  claims: {
    openid: ['sub'],
    profile: ['preferred_username'],
    email: ['email', 'email_verified'],
    groups: ['groups'],
  },
  findAccount: (_context, id) => people[id] && {
    accountId: id,
    claims: () => ({ sub: `subject-${id}`, preferred_username: id, ...people[id] }),
  },
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  cookies: { keys: ['a-key-of-the-test'] },
});
provider.listen(Number(PORT), '127.0.0.1', () => console.log('ready'));
