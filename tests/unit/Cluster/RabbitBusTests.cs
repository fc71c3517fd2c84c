using Entrepot.Cluster;
using Xunit;

namespace Entrepot.UnitTests.Cluster;

public sealed class RabbitBusTests
{
    [Theory]
    [InlineData("amqp://rabbitmq:5672/", "rabbitmq://rabbitmq:5672/")]
    [InlineData("amqp://amqp.example.com/amqp", "rabbitmq://amqp.example.com/amqp")]
    [InlineData("amqps://amqp.example.com:5671/", "rabbitmqs://amqp.example.com:5671/")]
    [InlineData(" AMQP://127.0.0.1/share1", "rabbitmq://127.0.0.1/share1")]
    public void Of_the_brokers_address_only_the_scheme_is_written_differently(string configured, string address) =>
        Assert.Equal(address, RabbitBus.AddressOf(configured).AbsoluteUri);
}
