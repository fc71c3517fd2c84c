using System.Text;
using System.Text.Json;
using Entrepot.Contracts;
using Entrepot.Oci;

namespace Entrepot.Upstreams;

/// <summary>
/// The bearer tokens of one upstream. Each is asked for once however many requests need it at the same moment, and kept for nine tenths of
/// its life. A store belongs to one upstream and its one credential, so a token can never be used with another. Thread-safe.
/// Source: Docker's token authentication specification.
/// </summary>
internal sealed class TokenStore(UpstreamSession session, UpstreamMetrics metrics, TimeProvider time)
{
    private const int MaxTokens = 4096;
    private const int MaxResponseBytes = 256 * 1024;
    private static readonly TimeSpan DefaultLife = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan MaxLife = TimeSpan.FromDays(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<TokenKey, Task<Attempt<Token>>> _tokens = [];

    /// <summary>A token for a challenge.</summary>
    /// <param name="challenge">Whose realm has not been checked yet.</param>
    /// <param name="repository">What is to be read, when the challenge does not say.</param>
    /// <param name="rejected">A token the upstream has just refused, which is not to be given again.</param>
    /// <param name="cancellationToken">Ends the waiting, not the request: others wait for it too.</param>
    public Task<Attempt<Token>> GetAsync(TokenChallenge.Bearer challenge, string repository, string? rejected, CancellationToken cancellationToken)
    {
        if (RealmRules.FindFault(session.Upstream, challenge.Realm) is { } fault)
            return Task.FromResult<Attempt<Token>>(Failed(FetchOutcome.Denied, fault));

        var scope = string.IsNullOrEmpty(challenge.Scope) ? ChallengeMemory.PullScope(repository) : challenge.Scope;
        var key = new TokenKey(challenge.Realm, challenge.Service, scope);
        TaskCompletionSource<Attempt<Token>> mine;
        lock (_lock)
        {
            if (_tokens.TryGetValue(key, out var known) && !IsSpent(known, rejected))
                return known.WaitAsync(cancellationToken);

            if (_tokens.Count >= MaxTokens)
                DropSpent();
            mine = new TaskCompletionSource<Attempt<Token>>(TaskCreationOptions.RunContinuationsAsynchronously);
            _tokens[key] = mine.Task;
        }

        _ = RunAsync(key, mine);
        return mine.Task.WaitAsync(cancellationToken);
    }

    private bool IsSpent(Task<Attempt<Token>> entry, string? rejected)
    {
        if (!entry.IsCompletedSuccessfully)
            return entry.IsCompleted;

        var token = entry.Result.Value;
        return token is null || token.Text == rejected || time.GetElapsedTime(token.RequestedAt) >= token.Life;
    }

    private void DropSpent()
    {
        foreach (var (key, entry) in _tokens.ToArray())
        {
            if (IsSpent(entry, rejected: null))
                _tokens.Remove(key);
        }

        // All still good: forgetting them costs one token request each, growing without end costs the process.
        if (_tokens.Count >= MaxTokens)
            _tokens.Clear();
    }

    private async Task RunAsync(TokenKey key, TaskCompletionSource<Attempt<Token>> result)
    {
        Attempt<Token> attempt;
        try
        {
            attempt = await RequestAsync(key);
        }
        catch (Exception exception)
        {
            // Whatever it was, it belongs to those who wait.
            Forget(key, result.Task);
            result.SetException(exception);
            return;
        }

        metrics.CountToken(session.Upstream, attempt.Failure is { } failure ? Replies.Label(failure.Outcome) : "ok");
        if (attempt.Failure is not null)
            Forget(key, result.Task);
        result.SetResult(attempt);
    }

    private void Forget(TokenKey key, Task<Attempt<Token>> entry)
    {
        lock (_lock)
        {
            if (_tokens.TryGetValue(key, out var current) && current == entry)
                _tokens.Remove(key);
        }
    }

    private async Task<Attempt<Token>> RequestAsync(TokenKey key)
    {
        var realm = new Uri(key.Realm);
        var query = new StringBuilder(realm.Query.TrimStart('?'));
        foreach (var (name, value) in new[] { ("service", key.Service), ("scope", key.Scope) })
        {
            if (!string.IsNullOrEmpty(value))
                query.Append(query.Length > 0 ? "&" : "").Append(name).Append('=').Append(Uri.EscapeDataString(value));
        }

        var requestedAt = time.GetTimestamp();
        using var request = new HttpRequestMessage(HttpMethod.Get, new UriBuilder(realm) { Query = query.ToString(), Fragment = "" }.Uri);
        Requests.AddCommonHeaders(request);
        if (session.Upstream.HasCredentials)
            request.Headers.TryAddWithoutValidation("Authorization", Requests.BasicAuthorization(session.Upstream.Options));

        var attempt = await session.SendAsync(request, "a token", CancellationToken.None);
        if (attempt.Value is not { } response)
            return new Attempt<Token>(null, attempt.Failure, attempt.IsTransient);

        using (response)
        {
            if (!response.IsSuccessStatusCode)
                return Refused(response, realm);

            try
            {
                await using var body = new GuardedBody(session.Upstream, response, "a token", time, CancellationToken.None);
                var bytes = await body.ReadAllOrNullAsync(MaxResponseBytes, session.Upstream.Options.HeaderTimeout, CancellationToken.None);
                return bytes is null ? Unusable(realm) : Read(bytes.Value, requestedAt, realm);
            }
            catch (UpstreamReadException exception)
            {
                return new Attempt<Token>(null, exception.Failure, IsTransient: true);
            }
        }
    }

    private Attempt<Token> Refused(HttpResponseMessage response, Uri realm)
    {
        var status = (int)response.StatusCode;
        var retryAfter = Replies.RetryAfter(response, time);
        var failure = status switch
        {
            401 or 403 => Failed(FetchOutcome.Denied, $"{realm.Authority} answered {status} when asked for a token"
                + (session.Upstream.HasCredentials ? "; is the credential right?" : " without a credential"), status),
            429 => Failed(FetchOutcome.RateLimited, $"{realm.Authority} answered 429 when asked for a token", status, retryAfter),
            _ => Failed(FetchOutcome.Unavailable, $"{realm.Authority} answered {status} when asked for a token", status, retryAfter),
        };
        return new Attempt<Token>(null, failure, Replies.IsTransient(response.StatusCode));
    }

    private Attempt<Token> Read(ReadOnlyMemory<byte> body, long requestedAt, Uri realm)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || (Text(root, "token") ?? Text(root, "access_token")) is not { } text
                || text.AsSpan().ContainsAnyExceptInRange('!', '~'))
                return Unusable(realm);

            var life = root.TryGetProperty("expires_in", out var expires) && expires.TryReadNumber(out var seconds) && seconds > 0
                ? TimeSpan.FromSeconds(Math.Min(seconds, MaxLife.TotalSeconds))
                : DefaultLife;
            return new Token(text, requestedAt, life * 0.9);
        }
        catch (JsonException)
        {
            return Unusable(realm);
        }
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    private Attempt<Token> Unusable(Uri realm) => Failed(FetchOutcome.Unavailable, $"{realm.Authority} answered without a usable token");

    private UpstreamFailure Failed(FetchOutcome outcome, string what, int? status = null, TimeSpan? retryAfter = null) =>
        new(outcome, $"Upstream {session.Upstream.Name}: {what}.", retryAfter, status);

    private readonly record struct TokenKey(string Realm, string? Service, string Scope);
}
