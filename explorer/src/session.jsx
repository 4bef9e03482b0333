// Signing in and out, and the forms for it.
import { useCallback, useEffect, useState } from 'react';
import { execute } from './api.js';

const STATE = '{ server { version setupRequired minimumPasswordLength } viewer { id handle administrator } }';
const LOGIN = `mutation SignIn($input: LoginInput!) {
  login(input: $input) { viewer { id } resetCode errors { message } } }`;
const RESET = `mutation ChoosePassword($input: ResetPasswordInput!) {
  resetPassword(input: $input) { viewer { id } resetCode errors { message } } }`;
const CREATE = `mutation FirstUser($input: CreateFirstUserInput!) {
  createFirstUser(input: $input) { viewer { id } errors { message } } }`;
const LOGOUT = 'mutation SignOut { logout { errors { message } } }';

export function useSession() {
  const [session, setSession] = useState(null);
  const [problem, setProblem] = useState('');
  const refresh = useCallback(() => execute(STATE).then(setSession), []);
  useEffect(() => void refresh().catch((error) => setProblem(error.message)), [refresh]);
  return { session, problem, refresh };
}

function Password({ name = 'password', label, hint, isNew, autoFocus }) {
  return (
    <input
      name={name}
      type="password"
      placeholder={hint ?? label}
      aria-label={label}
      autoComplete={isNew ? 'new-password' : 'current-password'}
      autoFocus={autoFocus}
      required
    />
  );
}

function Form({ label, text, button, busy, problem, onFields, onBack, children }) {
  function submit(event) {
    event.preventDefault();
    onFields(Object.fromEntries(new FormData(event.currentTarget)));
  }
  return (
    <form className="bar-form" onSubmit={submit} aria-label={label}>
      <span>{text}</span>
      {children}
      <button type="submit" disabled={busy}>
        {button}
      </button>
      {onBack && (
        <button type="button" onClick={onBack}>
          Back
        </button>
      )}
      {problem && <span role="alert">{problem}</span>}
    </form>
  );
}

export function SignIn({ server, onSignedIn }) {
  const [reset, setReset] = useState(null); // who must choose a new password, and the code that lets them
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const longEnough = `${server.minimumPasswordLength} characters or more`;

  async function attempt(mutation, input, handle) {
    setBusy(true);
    try {
      const [{ viewer, resetCode, errors }] = Object.values(await execute(mutation, { input }));
      setProblem(errors.map((error) => error.message).join(' '));
      setReset(resetCode ? { handle, code: resetCode } : null); // a code works once: each try gives another
      if (viewer) await onSignedIn();
    } catch (error) {
      setProblem(error.message);
    }
    setBusy(false);
  }

  function choose({ password, again }) {
    if (password !== again) setProblem('The two passwords differ.');
    else attempt(RESET, { resetCode: reset.code, password }, reset.handle);
  }

  function back() {
    setReset(null);
    setProblem('');
  }

  const state = { busy, problem };
  if (reset)
    return (
      <Form
        key="reset"
        {...state}
        label="Choose a new password"
        text={`Hello ${reset.handle}! Choose a new password of ${longEnough}.`}
        button="Set password"
        onFields={choose}
        onBack={back}
      >
        <Password label="New password" isNew autoFocus />
        <Password name="again" label="New password again" isNew />
      </Form>
    );
  const handleInput = (
    <input name="handle" placeholder="Handle" aria-label="Handle" autoComplete="username" required />
  );
  if (server.setupRequired)
    return (
      <Form
        key="setup"
        {...state}
        label="Create the first user"
        text="Nobody is here yet: create the first user, an administrator."
        button="Create"
        onFields={({ handle, password }) => attempt(CREATE, { handle, password }, handle)}
      >
        {handleInput}
        <Password label="Password" hint={`Password, ${longEnough}`} isNew />
      </Form>
    );
  return (
    <Form
      key="login"
      {...state}
      label="Sign in"
      text="Sign in to see the API."
      button="Sign in"
      onFields={({ handle, password, remember }) =>
        attempt(LOGIN, { handle, password, remember: remember === 'on' }, handle)
      }
    >
      {handleInput}
      <Password label="Password" />
      <label className="remember">
        <input name="remember" type="checkbox" />
        Remember me
      </label>
    </Form>
  );
}

export function SignOut({ viewer, onSignedOut }) {
  const [problem, setProblem] = useState('');

  function signOut() {
    // A session that has ended already cannot sign out: what is shown is brought up to date all the same.
    execute(LOGOUT)
      .then(onSignedOut, onSignedOut)
      .catch((error) => setProblem(error.message));
  }

  return (
    <>
      {problem && <span role="alert">{problem}</span>}
      <span data-testid="viewer">{viewer.handle}</span>
      <button type="button" onClick={signOut}>
        Sign out
      </button>
    </>
  );
}
