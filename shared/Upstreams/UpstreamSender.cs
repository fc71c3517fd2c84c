using System.Net;
using Entrepot.Contracts;
using Entrepot.Oci;

namespace Entrepot.Upstreams;

/// <summary>
/// Sends one call to an upstream and gives its last response. In order: 1. the token or account it is known to want, 2. the request,
/// 3. one answer to a challenge, 4. redirects by hand, 5. a short budget of repeats while no body byte has been read. Thread-safe.
/// </summary>
internal sealed class UpstreamSender(UpstreamSession session, UpstreamMetrics metrics, TimeProvider time)
{
    private const int MaxTries = 3;
    private static readonly TimeSpan RetryBudget = TimeSpan.FromSeconds(4);

    private Upstream Upstream => session.Upstream;

    /// <summary>The response, whatever its status; a failure when there is none.</summary>
    public async Task<UpstreamResult<Reply>> SendAsync(UpstreamCall call, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        for (var tries = 1; ; tries++)
        {
            var attempt = await TryAsync(call, cancellationToken);
            var isTransient = attempt.Value is { } reply ? Replies.IsTransient(reply.Status) : attempt.IsTransient;

            // 5. About 200 and 600 ms, spread so that many fetches do not come back at once.
            var pause = TimeSpan.FromMilliseconds((tries == 1 ? 200 : 600) * (0.75 + (Random.Shared.NextDouble() / 2)));
            var asked = attempt.Value is { } answer ? Replies.RetryAfter(answer.Response, time) : attempt.Failure?.RetryAfter;
            if (!isTransient || tries == MaxTries || asked > pause || time.GetElapsedTime(started) + pause > RetryBudget)
                return attempt.Value is { } last ? last : attempt.Failure!;

            attempt.Value?.Dispose();
            await Task.Delay(pause, time, cancellationToken);
        }
    }

    private async Task<Attempt<Reply>> TryAsync(UpstreamCall call, CancellationToken cancellationToken)
    {
        var uri = call.Uri;
        var isHome = IsHome(uri);
        var hasAnswered = false;
        var redirects = 0;
        string? authorization = null;

        // 1. What the upstream asked for before, it will ask for again.
        if (isHome && session.Challenges.Find(call.Repository) is { } expected)
        {
            var first = await AuthorizeAsync(expected, call, rejected: null, cancellationToken);
            if (first.Failure is not null)
                return new Attempt<Reply>(null, first.Failure, first.IsTransient);
            authorization = first.Value;
        }

        while (true)
        {
            // 2. The authorization goes to the upstream itself and nowhere else.
            using var request = Requests.Create(call, uri, isHome ? authorization : null);
            var sent = await session.SendAsync(request, call.Subject, cancellationToken);
            if (sent.Value is not { } response)
            {
                metrics.CountRequest(Upstream, call.Method, "unavailable");
                return new Attempt<Reply>(null, sent.Failure, sent.IsTransient);
            }

            metrics.CountRequest(Upstream, call.Method, Label(response));
            if (isHome)
                session.NoteQuota(response);

            // 3. A challenge is answered once: a second 401 is the answer.
            if (response.StatusCode == HttpStatusCode.Unauthorized && isHome && !hasAnswered && ChallengeOf(response) is { } challenge)
            {
                hasAnswered = true;
                session.Challenges.Remember(call.Repository, challenge);
                var answer = await AuthorizeAsync(challenge, call, authorization, cancellationToken);
                if (answer.Value is null && answer.Failure is null)
                    return new Reply(response, uri, redirects > 0);

                response.Dispose();
                if (answer.Failure is not null)
                    return new Attempt<Reply>(null, answer.Failure, answer.IsTransient);
                authorization = answer.Value;
                continue;
            }

            // 4. Once the chain has left the upstream, nothing on it is trusted with the authorization again.
            if (!IsRedirect(response) || response.Headers.Location is not { } location)
                return new Reply(response, uri, redirects > 0);

            response.Dispose();
            if (RedirectRules.FindFault(Upstream, uri, location, ++redirects, out var next) is { } fault)
                return new UpstreamFailure(FetchOutcome.Unavailable, $"Upstream {Upstream.Name}: {fault} for {call.Subject}.");
            isHome = isHome && IsHome(next);
            uri = next;
        }
    }

    /// <summary>The Authorization header that answers a challenge; neither value nor failure when there is nothing (new) to answer it with.</summary>
    private async Task<Attempt<string>> AuthorizeAsync(TokenChallenge challenge, UpstreamCall call, string? rejected, CancellationToken cancellationToken)
    {
        if (challenge is TokenChallenge.Bearer bearer)
        {
            const string Scheme = "Bearer ";
            var refused = rejected?.StartsWith(Scheme, StringComparison.Ordinal) == true ? rejected[Scheme.Length..] : null;
            var token = await session.Tokens.GetAsync(bearer, call.Repository, refused, cancellationToken);
            return new Attempt<string>(token.Value is { } good ? Scheme + good.Text : null, token.Failure, token.IsTransient);
        }

        if (!Upstream.HasCredentials)
            return default;
        var basic = Requests.BasicAuthorization(Upstream.Options);
        return basic == rejected ? default : new Attempt<string>(basic, null, false);
    }

    private static TokenChallenge? ChallengeOf(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var values)
            && TokenChallenge.TryParse(string.Join(", ", values), out var challenge) ? challenge : null;

    private bool IsHome(Uri uri) => uri.Scheme == Upstream.Url.Scheme && uri.Port == Upstream.Url.Port
        && uri.IdnHost.Equals(Upstream.Url.IdnHost, StringComparison.OrdinalIgnoreCase);

    private static bool IsRedirect(HttpResponseMessage response) => (int)response.StatusCode is 301 or 302 or 303 or 307 or 308;

    private static string Label(HttpResponseMessage response) => (int)response.StatusCode switch
    {
        < 300 => "ok",
        < 400 => "redirect",
        401 => "unauthorized",
        403 => "denied",
        404 => "not_found",
        429 => "rate_limited",
        < 500 => "refused",
        _ => "unavailable",
    };
}
