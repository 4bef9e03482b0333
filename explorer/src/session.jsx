// Signing in and out, and the forms for it.
import { useCallback, useEffect, useState } from 'react';
import { execute } from './api.js';

const STATE = '{ server { version setupRequired minimumPasswordLength } viewer { id handle administrator } }';
const LOGIN = `mutation SignIn($input: LoginInput!) { login(input: $input) { viewer { id } errors { message } } }`;
const CREATE = `mutation FirstUser($input: CreateFirstUserInput!) {
  createFirstUser(input: $input) { viewer { id } errors { message } } }`;
const LOGOUT = 'mutation SignOut { logout { errors { message } } }';

export function useSession() {
  const [session, setSession] = useState(null);
  const [problem, setProblem] = useState('');
  const refresh = useCallback(
    () => execute(STATE).then(setSession, (error) => setProblem(error.message)),
    [],
  );
  useEffect(() => void refresh(), [refresh]);
  return { session, problem, refresh };
}

export function SignIn({ server, onSignedIn }) {
  const [problem, setProblem] = useState('');
  const setup = server.setupRequired;

  async function submit(event) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const input = { handle: form.get('handle'), password: form.get('password') };
    try {
      const data = await execute(setup ? CREATE : LOGIN, { input });
      const { errors } = data.login ?? data.createFirstUser;
      if (errors.length > 0) setProblem(errors[0].message);
      else onSignedIn();
    } catch (error) {
      setProblem(error.message);
    }
  }

  return (
    <form className="bar-form" onSubmit={submit} aria-label={setup ? 'Create the first user' : 'Sign in'}>
      <span>{setup ? 'Nobody is here yet: create the first user, an administrator.' : 'Sign in to see the API.'}</span>
      <input name="handle" placeholder="Handle" aria-label="Handle" autoComplete="username" required />
      <input
        name="password"
        type="password"
        placeholder={setup ? `Password, ${server.minimumPasswordLength} characters or more` : 'Password'}
        aria-label="Password"
        autoComplete={setup ? 'new-password' : 'current-password'}
        required
      />
      <button type="submit">{setup ? 'Create' : 'Sign in'}</button>
      {problem && <span role="alert">{problem}</span>}
    </form>
  );
}

export function SignOut({ viewer, onSignedOut }) {
  return (
    <>
      <span data-testid="viewer">{viewer.handle}</span>
      <button type="button" onClick={() => execute(LOGOUT).then(onSignedOut)}>
        Sign out
      </button>
    </>
  );
}
