using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api.Pull;

/// <summary>
/// Upstreams that let somebody wait in vain. What is held of such an upstream is served at once, whatever tag or list it is, while it is asked again
/// in the background until it answers: a hanging upstream costs one wait, not one for each tag, and its recovery is noticed without a pull. Thread-safe.
/// </summary>
internal sealed class SilentUpstreams
{
    private static readonly Meter Meter = new("Entrepot.Api");
    private readonly ConcurrentDictionary<string, bool> _silent = new(StringComparer.Ordinal);
    private readonly ApiOptions _options;
    private readonly TimeProvider _time;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly ILogger _log;

    public SilentUpstreams(ApiOptions options, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<SilentUpstreams> log)
    {
        (_options, _time, _lifetime, _log) = (options, time, lifetime, log);
        Meter.CreateObservableGauge(
            "entrepot_upstream_silent",
            () => _silent.Select(pair => new Measurement<int>(pair.Value ? 1 : 0, new KeyValuePair<string, object?>("upstream", pair.Key))),
            null,
            "Whether an upstream has let somebody wait in vain and not answered since");
    }

    public bool IsSilent(string upstream) => _silent.TryGetValue(upstream, out var isSilent) && isSilent;

    /// <summary>Somebody waited for this upstream in vain. <paramref name="ask"/> is tried again and again until it has answered.</summary>
    public void Add(string upstream, Func<CancellationToken, Task> ask)
    {
        if (!_silent.TryAdd(upstream, true) && !_silent.TryUpdate(upstream, true, false)) return;
        _log.UpstreamIsSilent(upstream);
        _ = AskUntilItAnswersAsync(upstream, ask);
    }

    /// <summary>It has answered: with what was asked for, or that it does not have it or does not give it.</summary>
    public void Remove(string upstream)
    {
        if (_silent.TryUpdate(upstream, false, true)) _log.UpstreamAnswers(upstream);
    }

    private async Task AskUntilItAnswersAsync(string upstream, Func<CancellationToken, Task> ask)
    {
        var stopping = _lifetime.ApplicationStopping;
        while (IsSilent(upstream) && !stopping.IsCancellationRequested)
        {
            try
            {
                // Short, because a recovery is to be seen soon: how often the upstream is really asked is bounded by the retry window of its failures.
                await Task.Delay(_options.FailedCheckLasts / 3, _time, stopping);
                if (IsSilent(upstream)) await ask(stopping);
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                _log.NotAsked(upstream, e.Message);
            }
            catch (OperationCanceledException)
            {
                // The process stops.
            }
        }
    }
}
