// Uploading reads and references from the page: GraphQL carries no bytes.
import { useState } from 'react';
import { upload } from './api.js';

export function Upload() {
  const [message, setMessage] = useState('');

  async function send(event) {
    const ids = [];
    for (const file of event.target.files) {
      try {
        const answer = await upload(file, (part) => setMessage(`${file.name}: ${Math.round(part * 100)} %`));
        ids.push(answer.id);
      } catch (error) {
        setMessage(`${file.name}: ${error.message}`);
        return;
      }
    }
    setMessage(JSON.stringify(ids));
  }

  return (
    <label className="upload">
      Upload files
      <input type="file" multiple onChange={send} />
      <output>{message}</output>
    </label>
  );
}
